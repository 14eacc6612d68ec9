"""The report in a real browser: hostile text runs nothing and asks for nothing, and the page fits and can be read."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "report"))
from chromium import Tab, in_chromium, one_browser  # noqa: F401 - a fixture of this module
from report_fixtures import failing_run, healthy_run, hostile_run

from harness.report import write_reports

_LOW_CONTRAST = """(() => {
  const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 || m[3] === 1 ? m : (m[3] ? m : null); };
  const luminance = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c) return c }
    return [255, 255, 255] };
  const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const style = getComputedStyle(e), front = parse(e instanceof SVGElement ? style.fill : style.color);
    const [a, b] = [luminance(front), luminance(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push(e.textContent.trim().slice(0, 40) + ' ' + style.color + ' ' + style.fill);
  }
  return low;
})()"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    made = {"healthy": healthy_run, "failing": failing_run, "hostile": hostile_run}
    return {name: write_reports(make(folder / name), ["html"])[0] for name, make in made.items()}


def _look(page: Path, *questions: str, width: int = 1400, scheme: str = "light") -> tuple[Tab, list[Any]]:
    async def work(tab: Tab) -> tuple[Tab, list[Any]]:
        await tab.open(page, width=width, scheme=scheme)
        before = list(tab.events)
        answers = [await tab.ask(question) for question in questions]
        tab.events = before
        return tab, answers

    return in_chromium(work)


@pytest.mark.parametrize("name", ["healthy", "hostile"])
def test_no_script_runs_nothing_is_requested_and_the_policy_is_never_broken(pages: dict[str, Path], name: str) -> None:
    tab, (title, scripts, frames) = _look(pages[name], "document.title", "document.scripts.length", "window.length")
    assert tab.told("Debugger.scriptParsed") == []
    assert [request["request"]["url"] for request in tab.told("Network.requestWillBeSent")] == [pages[name].as_uri()]
    assert tab.told("Log.entryAdded") == []
    assert tab.told("Page.javascriptDialogOpening") == []
    assert (scripts, frames) == (0, 0)
    assert title.split(":")[0] in {"PASS", "FAIL"}


def test_a_script_that_got_into_the_page_all_the_same_would_be_stopped_by_the_policy(
    pages: dict[str, Path], tmp_path: Path
) -> None:
    html = pages["healthy"].read_text("utf-8")
    planted = tmp_path / "planted.html"
    planted.write_text(
        html.replace("<main>", "<main><script>document.title='ran'</script><img src='https://127.0.0.1:9/x.png'>"), "utf-8"
    )
    tab, (title,) = _look(planted, "document.title")
    assert title.startswith("PASS")
    assert len(tab.told("Log.entryAdded")) == 2


@pytest.mark.parametrize("width", [360, 390, 1400])
@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_the_page_fits_its_width_and_shows_the_plots_made_for_it(pages: dict[str, Path], name: str, width: int) -> None:
    shown = "[...document.querySelectorAll('.plot')].filter(p => p.getClientRects().length).map(p => p.classList[1])"
    _, (needed, forms) = _look(pages[name], "document.documentElement.scrollWidth", shown, width=width)
    assert needed <= width
    assert set(forms) == ({"narrow"} if width < 700 else {"wide"})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["healthy", "failing"])
def test_every_text_has_contrast_enough(pages: dict[str, Path], name: str, scheme: str) -> None:
    _, (low, ground) = _look(pages[name], _LOW_CONTRAST, "getComputedStyle(document.body).backgroundColor", scheme=scheme)
    assert low == []
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}[scheme]


def test_it_prints_on_white_paper_over_several_pages(pages: dict[str, Path]) -> None:
    async def work(tab: Tab) -> tuple[bytes, str]:
        await tab.open(pages["failing"], width=1400, scheme="dark")
        pdf = await tab.pdf()
        await tab.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        return pdf, await tab.ask("getComputedStyle(document.body).backgroundColor")

    pdf, ground = in_chromium(work)
    assert ground == "rgb(255, 255, 255)"
    assert 3 <= pdf.count(b"/Type /Page\n") <= 40


def test_the_first_key_of_a_keyboard_reaches_the_skip_link(pages: dict[str, Path]) -> None:
    async def work(tab: Tab) -> str:
        await tab.open(pages["failing"], width=1400)
        for kind in ("rawKeyDown", "keyUp"):
            await tab.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        return str(
            await tab.ask("document.activeElement.className + ' ' + getComputedStyle(document.activeElement).outlineStyle")
        )

    assert in_chromium(work) == "skip solid"


def test_a_filter_leaves_the_bad_requests_alone_and_paper_has_all_of_them(pages: dict[str, Path]) -> None:
    rows = "[...document.querySelectorAll('tr[data-went]:not(.exchange)')].filter(e => e.getClientRects().length).map(e => e.dataset.went)"

    async def work(tab: Tab) -> tuple[list[str], list[str], list[str]]:
        await tab.open(pages["failing"], width=1400)
        every = await tab.ask(rows)
        await tab.ask("document.querySelector('label[for=went-bad]').click()")
        bad = await tab.ask(rows)
        await tab.call("Emulation.setEmulatedMedia", media="print")
        return every, bad, await tab.ask(rows)

    every, bad, printed = in_chromium(work)
    assert set(every) == {"bad", "well"}
    assert set(bad) == {"bad"}
    assert len(bad) == every.count("bad")
    assert printed == every


def test_an_exchange_opens_below_its_request(pages: dict[str, Path]) -> None:
    opened = (
        "(() => { const e = document.querySelector('#request-705 + .exchange details'); e.open = true; return e.innerText })()"
    )
    _, (text,) = _look(pages["failing"], opened)
    assert "Authorization: Bearer ***" in text
    assert "the provider said nothing" in text
