"""Checks around a deploy and its stores: a canary, a balancer, connections, windows that end, a log that keeps what it was told."""

from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import OUTAGE, STEADY, A, Answering, check_of, judged
from run_builder import FAULT, PHASES, S, call_of, healthy_samples, sample

from harness.checks import PLANNERS
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Result
from harness.model.plan import Phase, PhaseKind, PlannedCheck
from harness.model.probe import Probe
from harness.model.sample import Call

LONG = Phase(name="steady", kind=PhaseKind.STEADY, start_ns=2 * S, end_ns=32 * S)
Told = dict[str, str | int | float | bool | None]


# -- a canary: rolled out from 3 s to 12 s of a phase of 30 s, over a load of 20/s --------------------------------------

GOOD = check_of("canary release")
BAD = check_of("canary release", defect="every-tenth-request-fails")
SHIFTED: Told = {"exit_code": 0, "percent": 100, "steps": 4, "said": "green has all of it"}
TAKEN_BACK: Told = {"exit_code": 1, "percent": 0, "steps": 1, "said": "taken back: errors: 10.0% against 0.0%"}


def released(path: Path, check: PlannedCheck, told: Told | None, *, lost: int | None = None, rate: int = 20) -> Judgement:
    rows = [replace(row, result=Result.ERROR, source=None) if row.seq == lost else row for row in healthy_samples(rate)]
    ran = {"began": {"roll-out": 3.0}, "lasted": {"roll-out": 9.0}}
    return judged(path, check, lambda *_: A(), phase=LONG, actions={"roll-out": told}, samples=rows, **ran)


def test_a_good_version_that_got_everything_and_a_bad_one_that_was_taken_back_pass(tmp_path: Path) -> None:
    good, bad = released(tmp_path, GOOD, SHIFTED), released(tmp_path, BAD, TAKEN_BACK, lost=100)
    assert (good.status, bad.status) == (Status.PASS, Status.PASS)
    assert "none of" in good.reason
    assert "after 1 of" in bad.reason


@pytest.mark.parametrize(
    ("check", "told", "lost", "words"),
    [
        (GOOD, TAKEN_BACK, None, "a good version was taken back; it said: taken back"),
        (GOOD, {**SHIFTED, "percent": 50}, None, "is said to have all of the traffic, and has 50 %"),
        (GOOD, SHIFTED, 100, "1 of 210 requests were lost"),
        (BAD, {**TAKEN_BACK, "percent": 5}, None, "was complained about, and keeps 5 %"),
        (BAD, SHIFTED, None, "was given all of the traffic"),
    ],
)
def test_a_version_that_got_what_it_does_not_deserve_fails(
    check: PlannedCheck, told: Told, lost: int | None, words: str, tmp_path: Path
) -> None:
    judgement = released(tmp_path, check, told, lost=lost)
    assert (judgement.status, words in judgement.reason) == (Status.FAIL, True), judgement.reason


@pytest.mark.parametrize("told", [None, {}, {**SHIFTED, "exit_code": 3}, {**SHIFTED, "exit_code": 5}])
def test_a_rollout_that_could_not_tell_is_inconclusive(told: Told | None, tmp_path: Path) -> None:
    for check in (GOOD, BAD):
        assert released(tmp_path, check, told).status is Status.INCONCLUSIVE
    assert judged(tmp_path, GOOD, None, phase=LONG).status is Status.INCONCLUSIVE
    assert released(tmp_path, GOOD, SHIFTED, rate=2).status is Status.INCONCLUSIVE


# -- the operators' balancer: what it did with a request whose instance died, and what it said with nobody ready -----------

BALANCED = check_of("balancer")
TYPED: Told = {
    "received": 1,
    "lost_status": 502,
    "lost_code": "upstream_error",
    "nobody_status": 503,
    "nobody_code": "guard_unavailable",
    "nobody_retry_after": "1",
}


def balanced(path: Path, told: Told | None) -> Judgement:
    return judged(path, BALANCED, lambda *_: A(), actions={"ask": told})


def test_a_balancer_that_repeats_nothing_and_can_be_read_passes(tmp_path: Path) -> None:
    judgement = balanced(tmp_path, TYPED)
    assert (judgement.status, "answered with 502 (upstream_error)" in judgement.reason) == (Status.PASS, True), judgement.reason
    assert judgement.test is not None
    assert judgement.test.value == 1.0


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"received": 2}, "2 instances had it in their hands"),
        ({"received": 4, "lost_status": None, "nobody_status": None}, "4 instances"),  # seen, whatever came of it
        ({"lost_status": 200}, "by nobody who had seen it through"),
        ({"lost_code": None}, "its 502 for a request whose instance had died has no error code"),
        ({"nobody_status": 502}, "answered 502 and not 503"),
        ({"nobody_code": None}, "its 503 with no instance ready has no error code"),
        ({"nobody_retry_after": None}, "does not say when to come back"),
    ],
)
def test_a_balancer_that_repeats_or_cannot_be_read_fails(told: Told, words: str, tmp_path: Path) -> None:
    judgement = balanced(tmp_path, {**TYPED, **told})
    assert (judgement.status, words in judgement.reason) == (Status.FAIL, True), judgement.reason


@pytest.mark.parametrize(
    "told", [None, {}, {**TYPED, "received": 0}, {**TYPED, "lost_status": None}, {**TYPED, "nobody_status": None}]
)
def test_a_balancer_that_nobody_could_ask_is_inconclusive(told: Told | None, tmp_path: Path) -> None:
    assert balanced(tmp_path, told).status is Status.INCONCLUSIVE
    assert judged(tmp_path, BALANCED, None).status is Status.INCONCLUSIVE


# -- connections -------------------------------------------------------------------------------------------------------

RUSH = check_of("connection limit", at="1s")


def counted(path: Path, *counts: Told | None, served: int = 100) -> Judgement:
    rows = healthy_samples(2)
    rows += [sample(1000 + n, 3.0, user_class="check:connection-limit", principal=f"hasty-{n % 10}") for n in range(served)]
    return judged(path, RUSH, lambda *_: A(), samples=rows, actions={f"count-{n}": told for n, told in enumerate(counts)})


def test_instances_that_keep_to_their_connections_pass(tmp_path: Path) -> None:
    judgement = counted(tmp_path, {"instance_a": 20, "instance_b": 17}, {"instance_a": 19, "instance_b": 18}, {"instance_a": 3})
    assert (judgement.status, "a 20, b 18" in judgement.reason) == (Status.PASS, True), judgement.reason


def test_one_connection_too_many_fails_whenever_it_was_seen(tmp_path: Path) -> None:
    judgement = counted(tmp_path, {"instance_a": 20, "instance_b": 21}, {"instance_a": 2, "instance_b": 2}, None)
    assert (judgement.status, "b 21" in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_connections_that_nobody_counted_or_needed_are_inconclusive(tmp_path: Path) -> None:
    assert counted(tmp_path, None, None, None).status is Status.INCONCLUSIVE
    assert counted(tmp_path, {}, {}, {}).status is Status.INCONCLUSIVE
    assert counted(tmp_path, *[{"instance_a": 4}] * 3, served=20).status is Status.INCONCLUSIVE
    assert judged(tmp_path, RUSH, None).status is Status.INCONCLUSIVE


# -- a window of the rate limit ----------------------------------------------------------------------------------------

WINDOW = check_of("rate window", window_s=8)


def limited(after: A | None = A(), *, meanwhile: int = 429) -> Answering:  # noqa: B008 - frozen
    def answering(probe: Probe, _: int, __: str | None) -> A | None:
        if probe.name == "afterwards":
            return after
        return A(status=meanwhile) if probe.name.startswith("meanwhile") else A()

    return answering


def test_a_window_that_ends_passes_and_one_that_begins_anew_fails(tmp_path: Path) -> None:
    assert judged(tmp_path, WINDOW, limited(), phase=LONG).status is Status.PASS
    sliding = judged(tmp_path, WINDOW, limited(A(status=429)), phase=LONG)
    assert (sliding.status, "still refused" in sliding.reason) == (Status.FAIL, True)


@pytest.mark.parametrize(
    "answering", [None, limited(None), limited(A(status=503)), limited(meanwhile=200), limited(meanwhile=503)]
)
def test_a_window_that_nobody_saw_begin_or_end_is_inconclusive(answering: Answering | None, tmp_path: Path) -> None:
    assert judged(tmp_path, WINDOW, answering, phase=LONG).status is Status.INCONCLUSIVE


# -- a cached answer becomes old ---------------------------------------------------------------------------------------

OLD = check_of("cache expiry", ttl_s=5)


def cached(path: Path, *asked: str, answering: Answering | None = lambda *_: A()) -> Judgement:
    calls = [call_of(sample(900 + n, 3.0), request_id=f"probe-{name}-a-0") for n, name in enumerate(asked)]
    return judged(path, OLD, answering, phase=LONG, calls=calls)


def test_an_answer_that_becomes_old_passes_and_one_that_never_does_fails(tmp_path: Path) -> None:
    assert cached(tmp_path, "first", "old").status is Status.PASS
    eternal = cached(tmp_path, "first")
    assert (eternal.status, "given again" in eternal.reason) == (Status.FAIL, True)


def test_an_answer_that_was_never_kept_or_asked_for_is_inconclusive(tmp_path: Path) -> None:
    assert cached(tmp_path, "first", "soon", "old").status is Status.INCONCLUSIVE
    assert cached(tmp_path).status is Status.INCONCLUSIVE
    assert cached(tmp_path, "first", answering=None).status is Status.INCONCLUSIVE
    silent: Answering = lambda probe, *_: A(status=503, result="error") if probe.name == "old" else A()  # noqa: E731
    assert cached(tmp_path, "first", answering=silent).status is Status.INCONCLUSIVE


# -- the audit log keeps what it was told while the database was away ---------------------------------------------------

KEPT = check_of("audit kept", phase="outage")
REFUSAL = A(status=400, body={"error": {"code": "content_blocked"}})


def audited(*, kept: int = 6, refusal: A = REFUSAL, readable: bool = True) -> Answering:
    asked = [f"probe-attack-{n}-{instance}-0" for n in range(3) for instance in "ab"]
    entries = [{"request_id": each, "outcome": "content_blocked"} for each in asked[:kept]]

    def answering(probe: Probe, _: int, __: str | None) -> A:
        if probe.name == "read":
            return A(body={"entries": entries}) if readable else A(status=503)
        return refusal if probe.name.startswith("attack") else A()

    return answering


def test_refusals_that_stand_in_the_log_after_it_pass_and_lost_ones_fail(tmp_path: Path) -> None:
    assert judged(tmp_path, KEPT, audited(), phase=OUTAGE).status is Status.PASS
    lost = judged(tmp_path, KEPT, audited(kept=5), phase=OUTAGE)
    assert (lost.status, "1 of 6 refusals" in lost.reason) == (Status.FAIL, True)
    assert lost.evidence[0].ref.endswith("attack-2 0")


@pytest.mark.parametrize("answering", [None, audited(readable=False), audited(refusal=A(status=503))])
def test_a_log_that_nobody_could_read_or_had_to_keep_is_inconclusive(answering: Answering | None, tmp_path: Path) -> None:
    assert judged(tmp_path, KEPT, answering, phase=OUTAGE).status is Status.INCONCLUSIVE


# -- a provider that asks for quiet: 429 from 12 s on, with four seconds each time --------------------------------------

QUIET = check_of("retry after", phase="outage")
ASKS = replace(FAULT, kind="status", parameters={"code": 429, "retry_after": "4"})


def refusals(*at_s: float) -> list[Call]:
    return [
        replace(call_of(sample(900 + n, at - 0.003), status_code=429), call_id=f"call-9{n}", ended="refused")
        for n, at in enumerate(at_s)
    ]


def quiet(path: Path, *at_s: float, retry_after: str = "4") -> Judgement:
    asks = replace(ASKS, parameters={"code": 429, "retry_after": retry_after})
    rows = [row for row in healthy_samples(2) if row.intended_ns < 12 * S]
    return judged(path, QUIET, lambda *_: A(), phase=OUTAGE, samples=rows, calls=refusals(*at_s), faults=(asks,))


def test_a_provider_that_is_left_alone_passes(tmp_path: Path) -> None:
    judgement = quiet(tmp_path, 12.2, 12.3, 12.9, 16.4, 16.5, 20.8)  # two instances, and what was under way
    assert judgement.status is Status.PASS, judgement.reason
    assert "0 calls" in judgement.reason
    assert "2 times 4 s" in judgement.reason


def test_a_provider_that_is_asked_in_its_quiet_fails(tmp_path: Path) -> None:
    judgement = quiet(tmp_path, 12.2, *(13.5 + n / 2 for n in range(12)))
    assert (judgement.status, "while it had asked for quiet" in judgement.reason) == (Status.FAIL, True), judgement.reason


def test_a_provider_that_never_asked_for_quiet_is_inconclusive(tmp_path: Path) -> None:
    assert quiet(tmp_path).status is Status.INCONCLUSIVE
    assert quiet(tmp_path, 21.0).status is Status.INCONCLUSIVE
    assert quiet(tmp_path, 12.2, 13.5, retry_after="soon").status is Status.INCONCLUSIVE
    without = judged(tmp_path, QUIET, lambda *_: A(), phase=OUTAGE, faults=(FAULT,))
    assert without.status is Status.INCONCLUSIVE


# -- what could show nothing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (check_of("canary release", watch="0s"), "nobody watches"),
        (check_of("canary release", watch="3s"), "lasts 10 s"),
        (check_of("connection limit", burst=30), "at least twice"),
        (check_of("balancer", at="5s"), "which lasts 10 s"),
        (check_of("rate window"), "lasts 10 s"),
        (check_of("cache expiry", ttl_s=30), "lasts 10 s"),
        (check_of("audit kept", phase="outage", at="8s"), "which lasts 10 s"),
        (check_of("retry after", phase="outage", endpoint="third"), "primary, secondary"),
    ],
)
def test_a_setting_that_could_show_nothing_is_refused(check: PlannedCheck, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        PLANNERS[check.name].plan(check, STEADY if check.phase == "steady" else OUTAGE)


def test_an_audit_log_in_a_phase_that_begins_at_once_is_refused() -> None:
    with pytest.raises(ValueError, match="must be known before"):
        PLANNERS["audit kept"].plan(check_of("audit kept", phase="warmup"), replace(PHASES[0], end_ns=20 * S))


# -- keys in the code --------------------------------------------------------------------------------------------------

SCAN = check_of("secret scan")


def scan(path: Path, told: Told | None, check: PlannedCheck = SCAN) -> Judgement:
    return judged(path, check, lambda *_: A(), actions={"scan": told})


def test_code_without_a_key_passes_and_one_with_a_key_fails(tmp_path: Path) -> None:
    clean: Told = {"files": 700, "commits": 320, "found": 0, "where": ""}
    assert scan(tmp_path, clean).status is Status.PASS
    judgement = scan(tmp_path, {**clean, "found": 1, "where": "settings.py:2: a token"})
    assert (judgement.status, "settings.py:2" in judgement.reason) == (Status.FAIL, True)
    assert scan(tmp_path, {**clean, "commits": None}, check_of("secret scan", history=False)).status is Status.PASS


@pytest.mark.parametrize("told", [None, {}, {"files": 0, "commits": 3, "found": 0}, {"files": 9, "commits": None, "found": 0}])
def test_code_that_nobody_looked_at_is_inconclusive(told: Told | None, tmp_path: Path) -> None:
    assert scan(tmp_path, told).status is Status.INCONCLUSIVE
    assert judged(tmp_path, SCAN, None).status is Status.INCONCLUSIVE
