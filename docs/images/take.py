"""Takes the pictures of the documentation again, of a real run: `python docs/images/take.py reports/latest`; needs chromium.

The report of that run on a desk, in the dark, on a phone and on paper, what the terminal says of it, and the live page as it
stood while the fault was in force: fed from the run's own journal and live lines up to then. Nothing is made up for a picture.
"""

import asyncio
import base64
import json
import os
import pty
import shutil
import sys
import tempfile
from io import BytesIO, StringIO
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.text import Text

from harness.cli.live_page import LivePage
from harness.cli.live_view import LiveView
from harness.rundir import RunDirectory

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "e2e"))
from chromium import Tab, close_browser, in_chromium  # noqa: E402

FAULT_STANDS_FOR_NS = 20_000_000_000
WIDE, NARROW = 1200, 390
ABOVE = 36
"""Points above a heading, so that it is not cut where the page moves a little while it is taken."""


class _At:
    def __init__(self, address: str) -> None:
        self._address = address

    def as_uri(self) -> str:
        return self._address


async def shot(tab: Tab, name: str, *, top: float = 0, height: float, width: int = WIDE) -> None:
    """Keep a part of the page that is open, in few colours: a picture of text and plots has no more."""
    scale = 0.75 if width == WIDE else 1
    clip = {"x": 0, "y": top, "width": width, "height": height / scale, "scale": scale}
    taken = await tab.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
    image = Image.open(BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    image.quantize(160, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)
    sys.stderr.write(f"{name}.png {image.width} x {image.height}\n")


async def place_of(tab: Tab, anchor: str) -> float:
    """Return how far down the page a section begins."""
    return (
        float(await tab.ask(f"document.getElementById({anchor!r}).closest('section').getBoundingClientRect().top + scrollY"))
        - ABOVE
    )


def take_live(run: Path, folder: Path) -> None:
    """Take the live page as it stood some seconds after the fault was confirmed."""
    copy = folder / "live"
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("samples", "truth", "exchanges", "logs", "measurements"))
    journal = [json.loads(line) for line in (copy / "journal.jsonl").read_text().splitlines()]
    confirmed_ns = next(each["t_ns"] for each in journal if each["event"] == "fault.confirmed" and each["t_ns"] is not None)
    now_ns = confirmed_ns + FAULT_STANDS_FOR_NS
    (copy / "journal.jsonl").write_text("".join(json.dumps(each) + "\n" for each in journal if (each["t_ns"] or 0) <= now_ns))
    lines = (copy / "live.jsonl").read_text().splitlines(keepends=True)
    (copy / "live.jsonl").write_text("".join(line for line in lines if json.loads(line)["t_ns"] <= now_ns))
    plan = RunDirectory.open(copy).read_plan()
    assert plan.clock is not None
    moment_ns = plan.clock.zero_monotonic_ns + now_ns
    page = LivePage(lambda _: [])
    view = LiveView(RunDirectory.open(copy), plan, StringIO(), terminal=False, page=page, monotonic_ns=lambda: moment_ns)
    view.refresh()

    async def work(tab: Tab) -> None:
        await tab.open(_At(page.address), width=1000)  # type: ignore[arg-type]
        await asyncio.sleep(1)
        await shot(tab, "live", height=min(900.0, await tab.ask("document.documentElement.scrollHeight")), width=1000)

    in_chromium(work)
    page.close()


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
    console.print(Text.from_ansi(said.decode().replace("\r\n", "\n").strip("\n")))
    page = run.parent / "terminal.html"
    page.write_text(f"<!DOCTYPE html><meta charset=utf-8><style>body{{margin:0}}</style>{console.export_svg(title='harness')}")

    async def work(tab: Tab) -> None:
        await tab.open(page, width=1000)
        height = await tab.ask("document.querySelector('svg').getBoundingClientRect().height")
        await shot(tab, "terminal", height=float(height), width=1000)

    in_chromium(work)


def main() -> None:
    """Take every picture."""
    run = Path(sys.argv[1]).resolve()
    try:
        with tempfile.TemporaryDirectory(prefix="pictures-") as name:
            folder = Path(name)
            copy = folder / "run"
            shutil.copytree(run, copy)  # `harness judge` writes reports anew
            take_terminal(copy)
            take_report(copy / "report.html")
            take_live(copy, folder)
    finally:
        close_browser()


if __name__ == "__main__":
    main()
