"""Was a request sent to a second instance, and can what the balancer says by itself be read?"""

from collections.abc import Mapping

from harness.checks.balancer.planning import ASK
from harness.checks.evidence import action_of, judgement, undone
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

NOBODY = 503


def judge_balancer(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the operators' balancer keeps its promises. Raises RunDirectoryError."""
    if (why := undone(reading, check, ASK)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"balancer: {why}")
    ended = action_of(reading, check, ASK)
    told: Mapping[str, object] = {} if ended is None else ended.data
    received = told.get("received")
    if not isinstance(received, int):
        return judgement(check, Status.INCONCLUSIVE, "balancer: nothing was told of what its instances received")
    test = Test(quantity="received_for_one_request", op="<=", limit=1.0, value=float(received), n=received)
    if received > 1:
        reason = (
            f"a request whose instance had died was sent again: {received} instances had it in their hands, and each is paid for"
        )
        return judgement(check, Status.FAIL, f"balancer: {reason}", test=test)
    lost, nobody = told.get("lost_status"), told.get("nobody_status")
    if received == 0 or not isinstance(lost, int) or not isinstance(nobody, int):
        reason = "balancer: it gave no answer, or sent no request to an instance, so it was not put to the test"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    if (wrong := _wrong(told, lost=lost, nobody=nobody)) is not None:
        return judgement(check, Status.FAIL, f"balancer: {wrong}", test=test)
    reason = f"a request whose instance died was sent to no other and answered with {lost} ({told.get('lost_code')}), and with"
    said = (
        f"nobody ready it said {nobody} ({told.get('nobody_code')}), to be tried again after {told.get('nobody_retry_after')} s"
    )
    return judgement(check, Status.PASS, f"balancer: {reason} {said}", test=test)


def _wrong(told: Mapping[str, object], *, lost: int, nobody: int) -> str | None:
    if lost < 500:
        return f"a request whose instance had died was answered with {lost}, by nobody who had seen it through"
    if told.get("lost_code") is None:
        return f"its {lost} for a request whose instance had died has no error code that a client can read"
    if nobody != NOBODY:
        return f"with no instance ready it answered {nobody} and not {NOBODY}"
    if told.get("nobody_code") is None:
        return f"its {nobody} with no instance ready has no error code that a client can read"
    if told.get("nobody_retry_after") is None:
        return f"its {nobody} with no instance ready does not say when to come back (Retry-After)"
    return None
