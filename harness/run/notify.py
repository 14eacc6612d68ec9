"""Tells webhooks and Grafana what a run does. Never a reason for a run to fail, and never shows where it told it."""

import datetime
import queue
import threading
from collections.abc import Callable, Mapping, Sequence

import httpx

from harness.model.journal import Event, JournalEntry
from harness.model.judgement import Verdict
from harness.model.notice import Channel, ChannelKind
from harness.model.plan import Plan

_TOLD: Mapping[Event, str] = {
    Event.LOAD_STARTED: "load started",
    Event.FAULT_CONFIRMED: "fault {} is in force",
    Event.FAULT_PROVED_CLEAR: "fault {} is gone",
    Event.FAULT_FAILED: "fault {} FAILED",
    Event.ABORTED: "aborted",
    Event.INTERRUPTED: "interrupted",
    Event.TROUBLE: "trouble",
    Event.NOTE: "note by {}",
}
"""What is told, of all that the journal holds."""

SEND_WITHIN_S = 3.0
_MOST_WAITING = 200
_SCHEMA = "harness.notification/1"


class Notifier:
    """Sends from a thread of its own; `hear` and `ended` only put into its queue.

    say: where a listener that does not take it is told of, once each. transport: for tests.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        plan: Plan,
        say: Callable[[str], None],
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._channels, self._plan, self._say = tuple(channels), plan, say
        self._queue: queue.Queue[Mapping[str, object] | None] = queue.Queue(maxsize=_MOST_WAITING)
        self._silent: set[str] = set()
        self._began: dict[str, int] = {}
        self._client = httpx.Client(timeout=SEND_WITHIN_S, trust_env=False, follow_redirects=False, transport=transport)
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        self._thread.start()

    def hear(self, entry: JournalEntry) -> None:
        """Take an entry of the journal. Never waits, never raises."""
        if entry.event not in _TOLD or entry.data.get("rehearsal"):
            return
        what = _TOLD[entry.event].format(entry.subject or "")
        more = entry.data.get("reason") or entry.data.get("text")
        self._put(entry.event.value, entry.wall, f"{what}: {more}" if more else what, subject=entry.subject)

    def ended(self, verdict: Verdict | None, exit_code: int) -> None:
        """Tell how the run ended. verdict: None where nothing was judged."""
        word = "not judged" if verdict is None else verdict.verdict.value
        reason = "" if verdict is None else f": {verdict.reason}"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        self._put("run.ended", now, f"{word}{reason}", verdict=None if verdict is None else word, exit_code=exit_code)

    def close(self, *, within_s: float = 5.0) -> None:
        """Send what waits, for at most so long. Never raises."""
        try:
            self._queue.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(timeout=within_s)

    def _put(self, event: str, at: str, text: str, **more: object) -> None:
        plan = self._plan
        message = {
            "schema": _SCHEMA, "event": event, "at": at, "run_id": plan.run_id, "scenario": plan.scenario.name,
            "target": plan.target.name, "labels": dict(plan.labels), **more,
            "text": f"{plan.scenario.name} on {plan.target.name}: {text}",
        }  # fmt: skip
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            return  # a listener that is this slow is told of by its own errors

    def _run(self) -> None:
        while (message := self._queue.get()) is not None:
            for channel in self._channels:
                self._send(channel, message)
        self._client.close()

    def _send(self, channel: Channel, message: Mapping[str, object]) -> None:
        headers = {} if channel.token is None else {"authorization": f"Bearer {channel.token}"}
        try:
            url, body = (channel.url, message) if channel.kind is ChannelKind.WEBHOOK else self._annotation(channel, message)
            answer = self._client.post(url, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            self._complain(channel, type(error).__name__)  # its text may hold the address
            return
        if not answer.is_success:
            self._complain(channel, f"it answered {answer.status_code}")

    def _complain(self, channel: Channel, why: str) -> None:
        if channel.name not in self._silent:
            self._silent.add(channel.name)
            self._say(f"WARNING: {channel.name} ({channel.kind.value}) was not told: {why}; the run goes on")

    def _annotation(self, channel: Channel, message: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """Return an annotation of Grafana's API; one for a fault that is gone spans the time that it was in force."""
        at_ms = round(datetime.datetime.fromisoformat(str(message["at"])).timestamp() * 1000)
        subject = str(message.get("subject") or "")
        times = {"time": at_ms}
        if message["event"] == Event.FAULT_CONFIRMED.value:
            self._began[subject] = at_ms
        elif message["event"] == Event.FAULT_PROVED_CLEAR.value and subject in self._began:
            times = {"time": self._began.pop(subject), "timeEnd": at_ms}
        tags = ["harness", str(message["scenario"]), str(message["event"])]
        return f"{channel.url.rstrip('/')}/api/annotations", {**times, "tags": tags, "text": message["text"]}
