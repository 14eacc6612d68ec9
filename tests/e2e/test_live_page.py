"""The live page in a real browser: the terminal's figures, hostile text as text, and orders that reach the run."""

import asyncio
import http.client
import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "report"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "cli"))
from chromium import Tab, in_chromium, one_browser  # noqa: F401 - a fixture of this module
from report_fixtures import HOSTILE
from test_live_view import S, line, make_plan

from harness.cli.live_figures import LiveFigures
from harness.cli.live_page import LivePage
from harness.cli.live_screen import figure_rows
from harness.errors import FaultError
from harness.model.journal import Event, JournalEntry

_PLAIN = tuple(text for text in HOSTILE if "\ud800" not in text)


def figures_of(texts: tuple[str, ...] = ()) -> LiveFigures:
    plan = make_plan(clock=None)
    if texts:
        plan = replace(plan, scenario=replace(plan.scenario, title=texts[0]))
    figures = LiveFigures(plan)
    for second in range(1, 41):
        figures.take_line(line(second))
    return figures


def entries_of(texts: tuple[str, ...]) -> list[JournalEntry]:
    fault = JournalEntry(event=Event.FAULT_CONFIRMED, wall="", t_ns=31 * S, subject="f0", data={})
    notes = [JournalEntry(event=Event.NOTE, wall="", t_ns=32 * S, subject=text, data={"text": text}) for text in texts]
    return [fault, *notes]


async def until(tab: Tab, question: str) -> Any:
    for _ in range(200):
        if answer := await tab.ask(question):
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"never true: {question}")


def watched(order: Callable[[Mapping[str, object]], object], texts: tuple[str, ...], *questions: str) -> tuple[Tab, list[Any]]:
    page = LivePage(order)
    figures, entries = figures_of(texts), entries_of(texts)
    for entry in entries:
        figures.take_entry(entry)
    page.take(figures, 40 * S, entries)

    async def work(tab: Tab) -> tuple[Tab, list[Any]]:
        class At:
            def as_uri(self) -> str:
                return page.address

        await tab.open(At(), width=1200)  # type: ignore[arg-type]
        await until(tab, "document.querySelectorAll('dd').length > 0")
        answers = [await (until if each.startswith("/*until*/") else Tab.ask)(tab, each) for each in questions]
        return tab, answers

    try:
        return in_chromium(work)
    finally:
        page.close()


def test_it_shows_the_terminals_figures_and_hostile_text_runs_nothing() -> None:
    shown = "[...document.querySelectorAll('dd')].map(e => e.textContent)"
    tab, (title, values, scripts, links, notes, tags) = watched(
        lambda _: [], _PLAIN, "document.title", shown, "document.scripts.length", "document.links.length",
        "document.querySelectorAll('#journal li').length", "document.querySelectorAll('img,svg,iframe,style').length",
    )  # fmt: skip
    expected = figures_of(_PLAIN)
    expected.take_entry(entries_of(())[0])
    assert values == [text for _, text, _ in figure_rows(expected)]
    assert "800" in values[0].replace(",", "")
    assert title == "<script>document.title='ran'</script>", "text, in the title too"
    assert (scripts, links, tags) == (1, 0, 1)
    assert notes == 1 + len(_PLAIN)
    assert tab.told("Log.entryAdded") == []
    assert tab.told("Page.javascriptDialogOpening") == []
    hosts = {urlsplit(request["request"]["url"]).hostname for request in tab.told("Network.requestWillBeSent")}
    assert hosts == {"127.0.0.1"}


def test_a_fault_is_cleared_from_it_at_once_and_what_cannot_be_done_is_said() -> None:
    orders: list[Mapping[str, object]] = []
    done = threading.Event()

    def order(given: Mapping[str, object]) -> object:
        orders.append(given)
        if given["do"] == "halt":
            raise FaultError("no run is live at this moment")
        done.set()
        return ["f0"]

    said = "/*until*/document.getElementById('said').textContent"
    _, (_, cleared, _, refused) = watched(
        order, (), "document.querySelector('#faults button').click()", said, "document.getElementById('halt').click()", said
    )
    assert done.is_set()
    assert orders == [{"do": "clear", "ids": ["f0"]}, {"do": "halt", "reason": "from the live page"}]
    assert cleared == "cleared: f0"
    assert refused == "no run is live at this moment"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/events?token=wrong", {}),
        ("/order?token={token}", {"origin": "http://evil.invalid"}),
        ("/order?token={token}", {"host": "rebound.invalid"}),
        ("/order", {}),
    ],
)
def test_without_the_token_or_from_elsewhere_nothing_is_shown_or_done(path: str, headers: dict[str, str]) -> None:
    orders: list[object] = []
    page = LivePage(lambda order: orders.append(order) or [])  # type: ignore[func-returns-value]
    try:
        where = urlsplit(page.address)
        connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=5)
        method = "POST" if path.startswith("/order") else "GET"
        connection.request(
            method, path.format(token=where.query.partition("=")[2]), json.dumps({"do": "clear", "ids": []}), headers
        )
        answer = connection.getresponse()
        assert answer.status == 403
        assert b"token" in answer.read()
        connection.close()
    finally:
        page.close()
    assert orders == []
