"""Report, sign-off document and live page before axe-core, in a real browser: nothing that it finds is left."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "report"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "readiness"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "cli"))
from axe import fetch_axe, found_by_axe
from chromium import Tab, in_chromium
from report_fixtures import failing_run
from test_live_page import entries_of, figures_of
from test_live_view import S
from test_release_forms import hostile, mixed

from harness.cli.live_page import LivePage
from harness.report import write_reports
from harness.report.material import read_material
from harness.report.release import ReleaseMaterial, render
from harness.rundir import codec


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return fetch_axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Every page that people see, by its address: run reports, sign-off documents, and the live page of a run."""
    folder = tmp_path_factory.mktemp("pages")
    runs = {name: make(folder / name) for name, make in (("failing", failing_run),)}
    found = {f"report, {name}": write_reports(run, ["html"])[0].as_uri() for name, run in runs.items()}
    for name, readiness in (("mixed", mixed()), ("hostile", hostile())):
        material = ReleaseMaterial(
            readiness=readiness,
            document=codec.to_pretty_json(readiness),
            command="harness report",
            runs={run.run_id: read_material(runs["failing"]) for run in readiness.runs},
        )
        path = folder / f"release-{name}.html"
        path.write_bytes(render(material, ["html"])["readiness.html"])
        found[f"sign-off, {name}"] = path.as_uri()
    live = LivePage(lambda _: [])
    figures, entries = figures_of(), entries_of(("a note",))
    for entry in entries:
        figures.take_entry(entry)
    live.take(figures, 40 * S, entries)
    found["live page"] = live.address
    yield found
    live.close()


class _At:
    def __init__(self, address: str) -> None:
        self._address = address

    def as_uri(self) -> str:
        return self._address


def _ask_all(axe: str, pages: dict[str, str], *, width: int, scheme: str, before: str = "0") -> dict[str, tuple[list[str], int]]:
    async def work(tab: Tab) -> dict[str, tuple[list[str], int]]:
        found = {}
        for name, address in pages.items():
            await tab.open(_At(address), width=width, scheme=scheme)  # type: ignore[arg-type]
            await tab.ask("document.querySelectorAll('details').forEach(e => e.open = true)")
            await tab.ask(before)
            found[name] = await found_by_axe(tab, axe)
        return found

    return in_chromium(work)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_axe_finds_nothing_on_any_page(axe: str, pages: dict[str, str], width: int, scheme: str) -> None:
    wanted = (
        pages if width > 1000 else {name: page for name, page in pages.items() if "hostile" not in name}
    )  # as much in less time
    found = _ask_all(axe, wanted, width=width, scheme=scheme)
    assert {name: lines for name, (lines, _) in found.items() if lines} == {}
    assert all(passed >= 15 for _, passed in found.values()), "a page on which few rules apply was not looked at"


def test_axe_would_find_what_is_wrong(axe: str, pages: dict[str, str]) -> None:
    """The page broken in three ways that a reader meets: all three are found, so that finding nothing means something."""
    breaking = """(() => {
      document.documentElement.removeAttribute('lang');
      const image = document.createElement('img'); image.src = 'data:,'; document.querySelector('main').append(image);
      const button = document.createElement('button'); document.querySelector('main').append(button);
    })()"""
    lines, _ = _ask_all(axe, {"report": pages["report, failing"]}, width=1400, scheme="light", before=breaking)["report"]
    assert {line.split(": ")[1] for line in lines} >= {"html-has-lang", "image-alt", "button-name"}
