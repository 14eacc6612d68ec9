"""Locust's part, in a process of its own, because its import patches the process."""

import json
import subprocess
import sys

PROGRAM = """
import locust, gevent, json
from harness.exchange import Outcome
from harness.load.carrier import Carrier
from harness.model.error_kind import ErrorKind
from harness.model.outcome import Refusal, Result

seen, errors, runs = [], [], []

def dispatch():
    runs.append(1)
    if BREAK:
        raise ZeroDivisionError("a bug")

carrier = Carrier(dispatch, host="http://127.0.0.1:1", on_error=errors.append)
if LISTENS: carrier.environment.events.request.add_listener(
    lambda name, response_time, response_length, exception, **_: seen.append([name, response_time, response_length, str(exception)])
)
carrier.start()
gevent.sleep(0.5)
carrier.told("faq", Outcome(result=Result.ANSWERED, ended_ns=30_000_000), 10_000_000, 99)
carrier.told("faq", Outcome(result=Result.REFUSED, refusal=Refusal.BUDGET, ended_ns=30_000_000), 10_000_000, 1)
carrier.told("faq", Outcome(result=Result.TIMEOUT, error_kind=ErrorKind.BODY_TIMEOUT, ended_ns=30_000_000), 10_000_000, 1)
carrier.told("faq", Outcome(result=Result.UNSENT, error_kind=ErrorKind.POOL_EXHAUSTED), None, 0)
carrier.stop()
total = carrier.environment.stats.total
print(json.dumps({
    "seen": seen, "errors": [repr(e) for e in errors], "runs": len(runs),
    "requests": total.num_requests, "failures": total.num_failures, "web": carrier.environment.web_ui is not None,
}))
"""


def carried(*, broken: bool, listens: bool = True) -> dict[str, object]:
    ran = subprocess.run(
        [sys.executable, "-c", f"BREAK, LISTENS = {broken}, {listens}\n{PROGRAM}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(ran.stdout)


def test_locusts_listeners_and_statistics_see_what_was_sent_and_the_schedule_runs_once() -> None:
    told = carried(broken=False)
    assert told["seen"] == [["faq", 20.0, 99, "None"], ["faq", 20.0, 1, "None"], ["faq", 20.0, 1, "body_timeout"]]
    assert (told["requests"], told["failures"], told["runs"]) == (3, 1, 1)
    assert told["errors"] == []
    assert told["web"] is False


def test_with_nobody_to_hear_it_nothing_is_told() -> None:
    told = carried(broken=False, listens=False)
    assert (told["seen"], told["requests"], told["runs"]) == ([], 0, 1)


def test_a_bug_of_the_dispatcher_is_told_and_the_schedule_does_not_start_again() -> None:
    told = carried(broken=True)
    assert told["errors"] == ["ZeroDivisionError('a bug')"]
    assert told["runs"] == 1
