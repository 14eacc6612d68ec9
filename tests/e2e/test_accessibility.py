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
from chromium import Tab, in_chromium, one_browser  # noqa: F401 - a fixture of this module
from report_fixtures import failing_results, make_requests, make_verdict, write_run
from test_live_page import entries_of, figures_of
from test_live_view import S
from test_release_forms import hostile, mixed

from harness.cli.live_page import LivePage
from harness.model.judgement import Status
from harness.report import write_reports
from harness.report.material import read_material
from harness.report.release import ReleaseMaterial, render
from harness.rundir import codec

pytestmark = pytest.mark.timeout(300)  # axe works on every element of every page, a minute of a quiet processor


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return fetch_axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Every page that people see, by its address: run reports, sign-off documents, and the live page of a run."""
    folder = tmp_path_factory.mktemp("pages")
    # One request of each twenty: axe takes time for each element, and the three hundred rows of a page are alike.
    requests = make_requests(failing=True)
    few = requests.take(list(range(0, requests.num_rows, 20)))
    failing = write_run(folder / "failing", make_verdict(Status.FAIL, failing_results()), failing=True, requests=few)
    found = {"report, failing": write_reports(failing, ["html"])[0].as_uri()}
    for name, readiness in (("mixed", mixed()), ("hostile", hostile())):
        material = ReleaseMaterial(
            readiness=readiness,
            document=codec.to_pretty_json(readiness),
            command="harness report",
            runs={run.run_id: read_material(failing) for run in readiness.runs},
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


Looked = dict[tuple[str, str], tuple[list[str], int]]

_SCREENS = {"desk": (1400, "light"), "phone": (390, "dark")}
_BROKEN = """(() => {
  document.documentElement.removeAttribute('lang');
  const image = document.createElement('img'); image.src = 'data:,'; document.querySelector('main').append(image);
  const button = document.createElement('button'); document.querySelector('main').append(button);
})()"""


@pytest.fixture(scope="module")
def looked(axe: str, pages: dict[str, str]) -> Looked:
    """What axe says of each page on each screen, by name and screen, and of one that was broken; in one browser."""

    async def work(tab: Tab) -> Looked:
        found: Looked = {}
        for screen, (width, scheme) in _SCREENS.items():
            for name, address in pages.items():
                if screen == "phone" and "hostile" in name:
                    continue  # as much in less time
                await tab.open(_At(address), width=width, scheme=scheme)  # type: ignore[arg-type]
                await tab.ask("document.querySelectorAll('details').forEach(e => e.open = true)")
                found[name, screen] = await found_by_axe(tab, axe)
        await tab.ask(_BROKEN)  # the last that was opened
        found["broken", "phone"] = await found_by_axe(tab, axe)
        return found

    return in_chromium(work)


@pytest.mark.parametrize("screen", _SCREENS)
def test_axe_finds_nothing_on_any_page(looked: Looked, screen: str) -> None:
    found = {name: each for (name, on), each in looked.items() if on == screen and name != "broken"}
    assert len(found) >= 3
    assert {name: lines for name, (lines, _) in found.items() if lines} == {}
    assert all(passed >= 15 for _, passed in found.values()), "a page on which few rules apply was not looked at"


def test_axe_would_find_what_is_wrong(looked: Looked) -> None:
    """The page broken in three ways that a reader meets: all three are found, so that finding nothing means something."""
    lines, _ = looked["broken", "phone"]
    assert {line.split(": ")[1] for line in lines} >= {"html-has-lang", "image-alt", "button-name"}
