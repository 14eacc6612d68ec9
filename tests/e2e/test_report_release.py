"""The readiness page in a real browser: hostile text runs nothing, it fits, it can be read, and its filters work without script."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "report"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "readiness"))
from chromium import Tab, in_chromium, one_browser  # noqa: F401 - a fixture of this module
from report_fixtures import failing_run, healthy_run
from test_release_forms import hostile, mixed
from test_report_browser import _LOW_CONTRAST

from harness.model.readiness import Readiness
from harness.report.material import read_material
from harness.report.release import ReleaseMaterial, render
from harness.rundir import codec


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("releases")
    measured = {"mixed": healthy_run(folder / "a"), "hostile": failing_run(folder / "b")}
    made: dict[str, Readiness] = {"mixed": mixed(), "hostile": hostile()}
    paths = {}
    for name, readiness in made.items():
        runs = {run.run_id: read_material(measured[name]) for run in readiness.runs}
        material = ReleaseMaterial(
            readiness=readiness, document=codec.to_pretty_json(readiness), command="harness report", runs=runs
        )
        paths[name] = folder / f"{name}.html"
        paths[name].write_bytes(render(material, ["html"])["readiness.html"])
    return paths


def _ask(page: Path, *questions: str, width: int = 1400, scheme: str = "light") -> tuple[Tab, list[Any]]:
    async def work(tab: Tab) -> tuple[Tab, list[Any]]:
        await tab.open(page, width=width, scheme=scheme)
        before = list(tab.events)
        answers = [await tab.ask(question) for question in questions]
        tab.events = before
        return tab, answers

    return in_chromium(work)


@pytest.mark.parametrize("name", ["mixed", "hostile"])
def test_no_script_runs_and_nothing_is_requested(pages: dict[str, Path], name: str) -> None:
    tab, (scripts, title) = _ask(pages[name], "document.scripts.length", "document.title")
    assert tab.told("Debugger.scriptParsed") == []
    assert [request["request"]["url"] for request in tab.told("Network.requestWillBeSent")] == [pages[name].as_uri()]
    assert tab.told("Log.entryAdded") == []
    assert scripts == 0
    assert title.startswith("NOT READY")


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("name", ["mixed", "hostile"])
def test_the_page_and_at_a_desk_its_tables_fit_without_scrolling_sideways(pages: dict[str, Path], name: str, width: int) -> None:
    scrolling = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
    opened = "document.querySelectorAll('details').forEach(e => e.open = true)"
    _, (_, needed, tables) = _ask(pages[name], opened, "document.documentElement.scrollWidth", scrolling, width=width)
    assert needed <= width
    assert width < 1400 or tables == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough(pages: dict[str, Path], scheme: str) -> None:
    _, (low,) = _ask(pages["mixed"], _LOW_CONTRAST, scheme=scheme)
    assert low == []


def test_a_filter_shows_the_rows_of_one_status_and_no_other(pages: dict[str, Path]) -> None:
    rows = "[...document.querySelectorAll('tr[data-row]')].filter(e => e.getClientRects().length).map(e => e.dataset.row)"
    _, (every, _, failed) = _ask(pages["mixed"], rows, "document.getElementById('show-failed').click()", rows)
    assert sorted(every) == ["attested", "failed", "not-covered", "not-proven", "verified", "waived"]
    assert failed == ["failed"]


def test_paper_has_every_row_whatever_was_filtered(pages: dict[str, Path]) -> None:
    async def work(tab: Tab) -> Any:
        await tab.open(pages["mixed"], width=1400)
        await tab.ask("document.getElementById('show-failed').click()")
        await tab.call("Emulation.setEmulatedMedia", media="print")
        return await tab.ask("[...document.querySelectorAll('tr[data-row]')].filter(e => e.getClientRects().length).length")

    assert in_chromium(work) == 6
