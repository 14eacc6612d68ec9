"""Listeners hear what matters, once, in their own form; one that is gone holds nothing up, and its address is never shown."""

import json

import httpx
import pytest
from test_run_timeline import PLAN

from harness.model.journal import Event, JournalEntry
from harness.model.notice import Channel, ChannelKind
from harness.run.notify import Notifier

SECRET = "https://hooks.invalid/T0/sEcReT"
HOOK = Channel(name="notify[0]", kind=ChannelKind.WEBHOOK, url=SECRET)
GRAFANA = Channel(name="notify[1]", kind=ChannelKind.GRAFANA, url="http://grafana.invalid/", token="glsa_sEcReT")


def entry(event: Event, second: int, subject: str | None = None, **data: str | bool) -> JournalEntry:
    return JournalEntry(event=event, wall=f"2026-01-01T00:00:{second:02d}.000+00:00", t_ns=0, subject=subject, data=data)


def told(channel: Channel, *entries: JournalEntry, status: int = 200, error: Exception | None = None):
    requests: list[httpx.Request] = []
    said: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if error is not None:
            raise error
        return httpx.Response(status, headers={"location": "http://elsewhere.invalid"})

    notifier = Notifier([channel], PLAN, said.append, transport=httpx.MockTransport(answer))
    for each in entries:
        notifier.hear(each)
    notifier.ended(None, 5)
    notifier.close()
    return requests, said


def test_a_webhook_hears_of_faults_notes_and_the_end_but_of_no_rehearsal() -> None:
    requests, said = told(
        HOOK,
        entry(Event.STACK_READY, 1),
        entry(Event.FAULT_CONFIRMED, 2, "f", rehearsal=True),
        entry(Event.FAULT_CONFIRMED, 3, "f"),
        entry(Event.NOTE, 4, "Kim", text="pager"),
        entry(Event.ABORTED, 5, reason="no-go"),
    )
    bodies = [json.loads(request.content) for request in requests]
    assert [(body["event"], body["text"]) for body in bodies] == [
        ("fault.confirmed", "s on : fault f is in force"),
        ("note", "s on : note by Kim: pager"),
        ("aborted", "s on : aborted: no-go"),
        ("run.ended", "s on : not judged"),
    ]
    assert bodies[-1]["exit_code"] == 5
    assert {body["schema"] for body in bodies} == {"harness.notification/1"}
    assert said == []


def test_grafana_gets_a_region_for_a_fault_that_is_gone() -> None:
    requests, _ = told(GRAFANA, entry(Event.FAULT_CONFIRMED, 3, "f"), entry(Event.FAULT_PROVED_CLEAR, 9, "f"))
    assert {str(request.url) for request in requests} == {"http://grafana.invalid/api/annotations"}
    assert {request.headers["authorization"] for request in requests} == {"Bearer glsa_sEcReT"}
    region = json.loads(requests[1].content)
    assert region["timeEnd"] - region["time"] == 6000
    assert region["tags"] == ["harness", "s", "fault.proved_clear"]


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        (500, None, "it answered 500"),
        (302, None, "it answered 302"),
        (200, httpx.ConnectError(f"no route to {SECRET}"), "ConnectError"),
        (200, httpx.ReadTimeout(SECRET), "ReadTimeout"),
    ],
)
def test_a_listener_that_does_not_take_it_is_told_of_once_without_its_address(status: int, error, why: str) -> None:
    requests, said = told(HOOK, entry(Event.FAULT_CONFIRMED, 3, "f"), status=status, error=error)
    assert said == [f"WARNING: notify[0] (webhook) was not told: {why}; the run goes on"]
    assert {str(request.url) for request in requests} == {SECRET}, "a redirect is not followed"
    assert "sEcReT" not in repr(HOOK) + repr(GRAFANA)
