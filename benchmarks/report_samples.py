"""How long many samples take to their reports, and a reader waits for them: `python benchmarks/report_samples.py 10000000`.

Prints for `harness judge DIR` (measures, judges, draws the run's report) and `harness report DIR` (judges again, decides a
release), each as a process of its own: seconds, seconds of CPU, highest resident memory, bytes of the page, and the
milliseconds until Chromium has loaded and laid it out (the best of three, from a file, with a warm browser).
The promise is ten million samples in 10 s, 5 MB, 1 s. `--keep DIR` keeps the run that is made up (`made_up_run.py`), and
takes it again where it is there.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from made_up_run import write_run

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))


def timed(*command: str) -> tuple[float, float, float, int]:
    """Run a command of the harness and return seconds, CPU seconds, peak MB and its exit code."""
    began = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    command = (sys.executable, "-m", "harness", *command)
    child = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def opened_ms(page: Path) -> float | None:
    """Return the least of three times from navigation to the end of the load event; None without a browser."""
    import shutil

    if shutil.which("chromium") is None:
        return None
    from chromium import Tab, close_browser, in_chromium

    async def work(tab: Tab) -> float:
        took = []
        for _ in range(3):
            await tab.open(page, width=1400)
            height = await tab.ask("document.documentElement.getBoundingClientRect().height")  # laid out, whatever is on screen
            assert height > 900
            took.append(await tab.ask("performance.getEntriesByType('navigation')[0].loadEventEnd"))
        return float(min(took))

    try:
        return in_chromium(work)
    finally:
        close_browser()


def main() -> int:
    """Make a run, report it, open the pages; 1 where a promise for ten million samples is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--keep", type=Path, help="make the run here, or take the one that is there")
    asked = parser.parse_args()
    broken = False
    with tempfile.TemporaryDirectory() as folder:
        run = asked.keep or Path(folder) / "run"
        if not (run / "manifest.json").exists():
            began = time.perf_counter()
            write_run(run, asked.samples)
            print(f"made {asked.samples:,} samples in {time.perf_counter() - began:.1f} s")
        release = Path(folder) / "release"
        for name, command, page in (
            ("harness judge", ("judge", str(run)), run / "report.html"),
            ("harness report", ("report", str(run), "--out", str(release)), release / "readiness.html"),
        ):
            took_s, cpu_s, peak_mb, code = timed(*command)
            shown_ms = opened_ms(page)
            size_mb = page.stat().st_size / 1e6
            shown = "no browser" if shown_ms is None else f"opens in {shown_ms:.0f} ms"
            took = f"{took_s:6.2f} s ({cpu_s:.2f} s CPU, exit {code})"
            print(f"{name:<15} {took}  peak {peak_mb:,.0f} MB  page {size_mb:.2f} MB, {shown}")
            broken |= took_s > 10 or size_mb > 5 or (shown_ms or 0) > 1000
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
