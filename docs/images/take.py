"""Takes the pictures of the documentation again: `python docs/images/take.py`, about three minutes; needs chromium.

Runs `provider-outage` on the embedded target with `--live`, takes the live page while the fault stands, then the report of that
very run on a desk, in the dark, on a phone and on paper, and what the terminal says of it. Nothing is made up for a picture.
"""

import asyncio
import base64
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from io import BytesIO, StringIO
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "e2e"))
from chromium import Tab, in_chromium, one_browser  # noqa: E402, F401

FAULT_STANDS_AFTER_S = 20.0
WIDE, NARROW = 900, 390


class _At:
    def __init__(self, address: str) -> None:
        self._address = address

    def as_uri(self) -> str:
        return self._address


async def shot(tab: Tab, name: str, *, top: float = 0, height: float, width: int = WIDE) -> None:
    """Keep a part of the page that is open, in few colours: a picture of text and plots has no more."""
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    taken = await tab.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    image = Image.open(BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    image.quantize(96, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)
    sys.stderr.write(f"{name}.png {image.width} x {image.height}\n")


async def place_of(tab: Tab, anchor: str) -> float:
    """Return how far down the page a section begins."""
    return float(await tab.ask(f"document.getElementById({anchor!r}).closest('section').getBoundingClientRect().top + scrollY"))


def run_and_watch(out: Path) -> None:
    """Run the scenario, and take its live page while the fault stands."""
    command = [sys.executable, "-m", "harness", "run", "provider-outage", "--live", "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=HERE.parents[1])
    assert process.stderr is not None
    address, seen = "", []
    for line in process.stderr:
        seen.append(line)
        if found := re.search(r"live page (http\S+)", line):
            address = found[1]
        if "fault" in line and "confirmed" in line:
            break
    else:
        raise SystemExit("the run ended before its fault:\n" + "".join(seen[-20:]))
    time.sleep(FAULT_STANDS_AFTER_S)

    async def work(tab: Tab) -> None:
        await tab.open(_At(address), width=1000)  # type: ignore[arg-type]
        await asyncio.sleep(2.5)
        await shot(tab, "live", height=min(900.0, await tab.ask("document.documentElement.scrollHeight")), width=1000)

    in_chromium(work)
    process.stderr.read()
    if process.wait() not in (0, 1):
        raise SystemExit(f"the run ended with {process.returncode}: a picture of it would show nothing worth seeing")


def take_report(page: Path) -> None:
    """Take the report on a desk, in the dark, on a phone and on paper."""

    async def work(tab: Tab) -> None:
        await tab.open(page, width=WIDE)
        await shot(tab, "report", height=1130)
        await shot(tab, "report-faults", top=await place_of(tab, "faults"), height=1125)
        await tab.open(page, width=WIDE, scheme="dark")
        await shot(tab, "report-dark", top=await place_of(tab, "latency"), height=975)
        await tab.open(page, width=NARROW)
        await shot(tab, "report-phone", height=1000, width=NARROW)
        await tab.open(page, width=790)
        await tab.call("Emulation.setEmulatedMedia", media="print")
        await shot(tab, "report-print", height=1050, width=790)

    in_chromium(work)


def take_terminal(run: Path) -> None:
    """Take what `harness judge` says of the run at a terminal, colours and all."""
    shown = run.parent / "reports" / "latest"
    shown.parent.mkdir(exist_ok=True)
    shown.symlink_to(run)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(run.parent)
        os.environ.update(COLUMNS="118", TERM="xterm-256color")
        os.execv(sys.executable, [sys.executable, "-m", "harness", "judge", "reports/latest"])  # noqa: S606 - our own words
    said = bytearray()
    while True:
        try:
            said += os.read(terminal, 65536) or b""
        except OSError:  # the end of a terminal
            break
    os.waitpid(child, 0)
    console = Console(record=True, width=118, file=StringIO(), force_terminal=True)
    console.print(Text("$ harness judge reports/latest", style="bold"))
    console.print(Text.from_ansi(said.decode().replace("\r\n", "\n").rstrip()))
    svg = run.parent / "terminal.svg"
    svg.write_text(console.export_svg(title="harness"))

    async def work(tab: Tab) -> None:
        await tab.open(svg, width=1000)
        size = await tab.ask("(() => { const b = document.documentElement.viewBox.baseVal; return b.height / b.width })()")
        await shot(tab, "terminal", height=round(1000 * float(size)), width=1000)

    in_chromium(work)


def main() -> None:
    """Take every picture, of one run."""
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        run = Path(folder) / "run"
        if len(sys.argv) > 1:  # a run that is there already: all but the live page
            run = Path(sys.argv[1]).resolve()
        else:
            run_and_watch(run)
        take_report(run / "report.html")
        linked = Path(folder) / "seen"
        if not linked.exists():
            linked.symlink_to(run)
        take_terminal(linked)


if __name__ == "__main__":
    main()
