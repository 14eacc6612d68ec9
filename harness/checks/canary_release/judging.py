"""Who had the traffic in the end, what the program said, and was a request lost over a good version?"""

import numpy as np

from harness.checks.canary_release.planning import PLANNER, ROLL_OUT, STEPS
from harness.checks.evidence import MOST_EVIDENCE, action_of, judgement, undone
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.journal import Event
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck

LEAST = 50
AFTERWARDS_NS = 1_000_000_000
ALL_OF_IT, TAKEN_BACK, TOO_FEW = 0, 1, 3
"""How the service's rollout program ends."""


def judge_canary_release(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the other version got what it deserved. Raises RunDirectoryError."""
    is_bad = bool(complete(PLANNER.settings, check.settings)["defect"])
    if (why := undone(reading, check, ROLL_OUT)) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"canary release: {why}")
    ended = action_of(reading, check, ROLL_OUT)
    begun_ns = next((e.t_ns for e in reading.journal if _is_start(e.event, e.subject, check)), None)
    code = None if ended is None else ended.data.get("exit_code")
    percent = None if ended is None else ended.data.get("percent")
    if ended is None or ended.t_ns is None or begun_ns is None or not isinstance(percent, int) or not isinstance(code, int):
        return judgement(check, Status.INCONCLUSIVE, "canary release: the journal does not say what came of it")
    said = f"; it said: {ended.data['said']}" if ended.data.get("said") else ""
    if code == TOO_FEW:
        return judgement(check, Status.INCONCLUSIVE, f"canary release: too few requests met the other version to tell{said}")
    if code not in (ALL_OF_IT, TAKEN_BACK):
        return judgement(check, Status.INCONCLUSIVE, f"canary release: the program ended with exit code {code}{said}")
    requests = reading.requests
    over_ns = np.where(np.isnan(requests.ended_ns), np.inf, requests.ended_ns)
    touched = requests.mix & (over_ns >= begun_ns) & (requests.started_ns <= ended.t_ns + AFTERWARDS_NS)
    lost = touched & requests.result.is_in([Result.ERROR, Result.TIMEOUT, Result.MALFORMED])
    n, bad = int(np.count_nonzero(touched)), int(np.count_nonzero(lost))
    test = Test(quantity="traffic_left_percent", op="<=" if is_bad else ">=", limit=0.0 if is_bad else 100.0, value=percent, n=n)
    evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in requests.seq[lost][:MOST_EVIDENCE])
    if is_bad:
        wrong = _kept(code, percent)
        right = f"a bad version was taken back after {bad} of {n} requests had failed, and has no share left"
    else:
        wrong = _not_given(code, percent, lost=bad, n=n)
        right = f"a good version got all of the traffic in {STEPS} steps, and none of {n} requests was lost"
    if wrong is not None:
        return judgement(check, Status.FAIL, f"canary release: {wrong}{said}", test=test, evidence=evidence)
    if n < LEAST:
        few = f"canary release: only {n} requests came meanwhile; {LEAST} are needed"
        return judgement(check, Status.INCONCLUSIVE, few, test=test)
    return judgement(check, Status.PASS, f"canary release: {right}{said}", test=test, evidence=evidence)


def _kept(code: int, percent: int) -> str | None:
    if code == ALL_OF_IT:
        return "a bad version was given all of the traffic"
    return f"a bad version was complained about, and keeps {percent} % of the traffic" if percent else None


def _not_given(code: int, percent: int, *, lost: int, n: int) -> str | None:
    if code == TAKEN_BACK:
        return "a good version was taken back"
    if percent != 100:
        return f"a good version is said to have all of the traffic, and has {percent} % of it"
    return f"{lost} of {n} requests were lost while a good version was rolled out" if lost else None


def _is_start(event: Event, subject: str | None, check: PlannedCheck) -> bool:
    return event is Event.ACTION_STARTED and subject == f"{check.id}/{ROLL_OUT}"
