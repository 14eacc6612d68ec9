"""Checks that watch a phase: health, circuits, time limits, a draining instance, and the service's own counts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from probe_runs import OUTAGE, STEADY, A, Answering, check_of, judged
from run_builder import PHASES, RunBuilder, S, call_of, healthy_samples, sample, unsent

from harness.checks import PLANNERS
from harness.model.judgement import Judgement, Status
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck
from harness.model.probe import Probe
from harness.model.sample import Call, Sample

RECOVERY = PHASES[3]
PHASE = {phase.name: phase for phase in PHASES}


def seen(path: Path, check: PlannedCheck, answering: Answering | None, **more: object) -> Judgement:
    return judged(path, check, answering, phase=PHASE[check.phase], **more)  # type: ignore[arg-type]


# -- health: the fault is confirmed at 12.1 s and proved clear at 22.1 s; three seconds are given ----------------------

STAYS, GOES = check_of("health"), check_of("health", phase="outage", ready="goes")


def ready_is(status: int, *, live: int = 200) -> Answering:
    return lambda probe, _, __: A(status=live if probe.name == "live" else status)


def test_a_ready_service_that_says_so_passes_and_one_that_cannot_serve_must_say_that(tmp_path: Path) -> None:
    assert seen(tmp_path, STAYS, ready_is(200)).status is Status.PASS
    assert seen(tmp_path, GOES, ready_is(503)).status is Status.PASS


def test_a_lie_in_either_direction_fails(tmp_path: Path) -> None:
    assert "it cannot" in seen(tmp_path, GOES, ready_is(200)).reason
    lying = seen(tmp_path, STAYS, ready_is(503))
    assert (lying.status, "and it can" in lying.reason) == (Status.FAIL, True)


def test_liveness_must_hold_whatever_readiness_says(tmp_path: Path) -> None:
    dead = seen(tmp_path, GOES, ready_is(503, live=503))
    assert dead.status is Status.FAIL
    assert "liveness" in dead.reason


def test_the_time_to_hear_of_a_fault_is_given_from_its_confirmation(tmp_path: Path) -> None:
    late = seen(tmp_path, GOES, lambda p, n, _: A(status=200 if p.name == "live" or n < 6 else 503))
    assert late.status is Status.PASS
    later = seen(tmp_path, GOES, lambda p, n, _: A(status=200 if p.name == "live" or n < 12 else 503))
    assert later.status is Status.FAIL


def test_one_late_answer_is_a_busy_machine_and_two_in_a_row_are_none(tmp_path: Path) -> None:
    def missing(*numbers: int) -> Answering:
        return lambda p, n, i: A(status=None, result="timeout") if p.name == "live" and i == "b" and n in numbers else A()

    assert seen(tmp_path, STAYS, missing(4, 6, 8)).status is Status.PASS
    assert seen(tmp_path, STAYS, missing(4, 5)).status is Status.FAIL


def test_health_that_nobody_asked_is_inconclusive(tmp_path: Path) -> None:
    assert seen(tmp_path, STAYS, None).status is Status.INCONCLUSIVE
    assert seen(tmp_path, STAYS, lambda p, n, i: A() if p.name == "live" else None).status is Status.INCONCLUSIVE


# -- circuits ----------------------------------------------------------------------------------------------------------

OPENS = check_of("breaker", phase="outage", settles="4s")
CLOSES = check_of("breaker", phase="recovery", circuit="closes", settles="4s")


def circuit(at_second: Callable[[int, str | None], str | None]) -> Answering:
    def answering(probe: Probe, _: int, instance: str | None) -> A:
        state = at_second(int(probe.name.rpartition("-")[2]), instance)
        return A(headers={} if state is None else {"x-gateway-circuit": state})

    return answering


def test_circuits_that_open_and_close_in_time_pass(tmp_path: Path) -> None:
    assert (
        seen(tmp_path, OPENS, circuit(lambda n, _: "closed" if n < 2 else "half-open" if n % 3 else "open")).status is Status.PASS
    )
    assert seen(tmp_path, CLOSES, circuit(lambda n, _: "open" if n < 4 else "closed")).status is Status.PASS


def test_one_instance_whose_circuit_does_not_move_fails(tmp_path: Path) -> None:
    stuck = seen(tmp_path, OPENS, circuit(lambda n, i: "open" if n > 1 and i == "a" else "closed"))
    assert (stuck.status, "instance b never opened" in stuck.reason) == (Status.FAIL, True)
    open_still = seen(tmp_path, CLOSES, circuit(lambda n, i: "open" if i == "a" else "closed"))
    assert (open_still.status, "instance a says 'open'" in open_still.reason) == (Status.FAIL, True)


def test_answers_that_tell_of_no_circuit_are_inconclusive(tmp_path: Path) -> None:
    for check in (OPENS, CLOSES):
        assert seen(tmp_path, check, circuit(lambda *_: None)).status is Status.INCONCLUSIVE
        assert seen(tmp_path, check, None).status is Status.INCONCLUSIVE


BETWEEN = check_of("breaker", phase="outage", settles="4s", half_open=True)


def test_a_circuit_that_opens_half_opens_and_never_closes_meanwhile_passes(tmp_path: Path) -> None:
    judgement = seen(tmp_path, BETWEEN, circuit(lambda n, _: "closed" if n < 1 else "half-open" if n % 4 == 3 else "open"))
    assert judgement.status is Status.PASS, judgement.reason
    assert "each called its own half-open in between" in judgement.reason


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (lambda n, i: "open" if i == "a" else "half-open" if n % 2 else "open", "instance a opened its circuit and never called"),
        (lambda n, _: "open" if n % 2 else "closed", "instance a says 'closed' of a circuit that is still needed, 2 times"),
        (lambda *_: "closed", "instance a never opened its circuit"),
    ],
)
def test_a_circuit_that_is_never_half_open_fails(state: Callable[[int, str | None], str], told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, BETWEEN, circuit(state))
    assert judgement.status is Status.FAIL, judgement.reason
    assert told in judgement.reason


def test_a_circuit_that_opened_late_is_not_called_never_half_open(tmp_path: Path) -> None:
    late = seen(tmp_path, BETWEEN, circuit(lambda n, _: "half-open" if n < 4 else "open"))
    assert (late.status, "too few answers of instance a" in late.reason) == (Status.INCONCLUSIVE, True)


def test_half_open_is_asked_of_a_circuit_that_opens_only(tmp_path: Path) -> None:
    check = check_of("breaker", phase="recovery", circuit="closes", half_open=True)
    with pytest.raises(ValueError, match="needs `circuit: opens`"):
        PLANNERS["breaker"].plan(check, RunBuilder().plan().phases[3])


PROBED = check_of("breaker", phase="outage", settles="4s", probes=1)


def tries(*spans_s: tuple[float, float], endpoint: str = "primary") -> list[Call]:
    """Return a call of the primary for each span, in seconds of the run; the outage is from 12 s to 22 s."""
    first = call_of(sample(1, 12.0))
    return [
        replace(first, call_id=f"try-{n}", endpoint=endpoint, received_ns=round(began * S), ended_ns=round(ended * S))
        for n, (began, ended) in enumerate(spans_s)
    ]


OPENED = circuit(lambda n, _: "closed" if n < 2 else "open")
CROWD = [(12.2 + n / 10, 15.0) for n in range(20)]  # before a circuit opens everybody goes there


def test_one_try_of_each_instance_at_a_time_passes_whoever_was_there_before_the_circuit_opened(tmp_path: Path) -> None:
    healthy = seen(tmp_path, PROBED, OPENED, calls=tries(*CROWD, (17.0, 18.5), (17.2, 18.7), (18.7, 20.0), (20.0, 21.5)))
    assert (healthy.status, "at most 2 at once" in healthy.reason) == (Status.PASS, True)


def test_a_half_open_circuit_that_lets_everybody_through_fails(tmp_path: Path) -> None:
    flood = seen(tmp_path, PROBED, OPENED, calls=tries((17.0, 18.5), (17.2, 18.7), (17.3, 18.8)))
    assert (flood.status, "3 calls were under way" in flood.reason) == (Status.FAIL, True)


def test_a_circuit_that_nobody_tried_or_that_left_no_records_is_inconclusive(tmp_path: Path) -> None:
    assert seen(tmp_path, PROBED, OPENED, calls=tries(*CROWD)).status is Status.INCONCLUSIVE
    assert seen(tmp_path, PROBED, OPENED, calls=tries((17.0, 18.5), endpoint="secondary")).status is Status.INCONCLUSIVE
    assert seen(tmp_path, PROBED, OPENED, calls=None).status is Status.INCONCLUSIVE


# -- time limits -------------------------------------------------------------------------------------------------------

LIMIT = check_of("time limits", phase="outage", within="6s")


def load(change: Callable[[Sample], Sample], *, at: int = 300) -> list[Sample]:
    """Return the default load of 20/s with one request of the outage changed."""
    return [change(row) if row.seq == at else row for row in healthy_samples()]


def test_a_phase_in_which_nobody_waited_too_long_passes(tmp_path: Path) -> None:
    assert seen(tmp_path, LIMIT, None, samples=healthy_samples()).status is Status.PASS


@pytest.mark.parametrize(
    "change",
    [
        lambda row: replace(row, ended_ns=row.intended_ns + 7 * S),
        lambda row: replace(row, result=Result.TIMEOUT, source=None, ended_ns=row.intended_ns + 3 * S),
        lambda row: replace(row, result=Result.ERROR, source=None, ended_ns=row.intended_ns + 8 * S),
    ],
)
def test_one_request_that_hung_fails_however_it_ended(change: Callable[[Sample], Sample], tmp_path: Path) -> None:
    judgement = seen(tmp_path, LIMIT, None, samples=load(change))
    assert judgement.status is Status.FAIL
    assert judgement.evidence[0].ref == "300"


def test_what_hung_in_another_phase_is_not_this_one_s(tmp_path: Path) -> None:
    judgement = seen(tmp_path, LIMIT, None, samples=load(lambda row: replace(row, ended_ns=row.intended_ns + 7 * S), at=100))
    assert judgement.status is Status.PASS


def test_a_phase_without_requests_is_inconclusive(tmp_path: Path) -> None:
    nothing = [row if not 12 * S <= row.intended_ns < 22 * S else unsent(row) for row in healthy_samples()]
    assert seen(tmp_path, LIMIT, None, samples=nothing).status is Status.INCONCLUSIVE


# -- drain -------------------------------------------------------------------------------------------------------------

DRAIN = check_of("drain", at="1s")
LEFT = {"end": {"exit_code": 0, "took_ms": 1800}, "start": {}}


def draining(probe: Probe, number: int, _: str | None) -> A:
    return A(status=503 if probe.name == "ready" and number > 2 else 200)


def drained(path: Path, answering: Answering | None = draining, **more: object) -> Judgement:
    actions = more.pop("actions", LEFT)
    return seen(
        path,
        DRAIN,
        answering,
        **({"actions": actions, "samples": healthy_samples(), "began": {"end": 3.0}, "lasted": {"end": 1.8}} | more),
    )


def test_an_instance_that_leaves_in_good_order_passes(tmp_path: Path) -> None:
    judgement = drained(tmp_path)
    assert judgement.status is Status.PASS, judgement.reason


def test_one_lost_request_fails_and_is_the_evidence(tmp_path: Path) -> None:
    judgement = drained(tmp_path, samples=load(lambda row: replace(row, result=Result.ERROR, source=None), at=70))
    assert judgement.status is Status.FAIL
    assert judgement.evidence[0].ref == "70"


def test_what_was_lost_at_another_time_is_not_the_drain_s(tmp_path: Path) -> None:
    judgement = drained(tmp_path, samples=load(lambda row: replace(row, result=Result.ERROR, source=None), at=200))
    assert judgement.status is Status.PASS


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"exit_code": None, "took_ms": None}, "had not ended"),
        ({"exit_code": 0, "took_ms": 8500}, "had not ended"),
        ({"exit_code": -9, "took_ms": 1800}, "exit code -9"),
    ],
)
def test_an_instance_that_does_not_end_by_itself_fails(told: dict[str, int | None], reason: str, tmp_path: Path) -> None:
    judgement = drained(tmp_path, actions={**LEFT, "end": told})
    assert (judgement.status, reason in judgement.reason) == (Status.FAIL, True)


def test_an_instance_that_calls_itself_ready_while_it_ends_fails(tmp_path: Path) -> None:
    judgement = drained(tmp_path, lambda *_: A())
    assert (judgement.status, "called itself ready" in judgement.reason) == (Status.FAIL, True)


def test_a_drain_that_was_not_done_or_not_seen_is_inconclusive(tmp_path: Path) -> None:
    assert drained(tmp_path, actions={**LEFT, "end": None}).status is Status.INCONCLUSIVE
    assert drained(tmp_path, None).status is Status.INCONCLUSIVE
    assert drained(tmp_path, samples=healthy_samples(2)).status is Status.INCONCLUSIVE


BOOKS = check_of("drain", at="2s", books=True)


def booked(spent: float | None = 0.003, held: float = 0.0) -> Answering:
    said = {} if spent is None else {"error": {"spent": spent, "reserved": held}}
    refusal = A(status=402, refusal="budget", body=said)
    return lambda probe, n, where: refusal if probe.name == "account" else draining(probe, n, where)


def drained_with_books(path: Path, answering: Answering) -> Judgement:
    calls = [call_of(sample(900 + n, 2.5), request_id=f"probe-spent-{n}-b-0") for n in range(3)]
    calls += [call_of(row) for row in healthy_samples()]
    return seen(
        path, BOOKS, answering, actions=LEFT, samples=healthy_samples(), began={"end": 4.0}, lasted={"end": 1.8}, calls=calls
    )


def test_what_an_ended_instance_had_sold_is_booked(tmp_path: Path) -> None:
    judgement = drained_with_books(tmp_path, booked())
    assert judgement.status is Status.PASS, judgement.reason


@pytest.mark.parametrize(
    ("answering", "told"), [(booked(0.001, 0.002), "are booked"), (booked(0.003, 0.001), "still held for a user")]
)
def test_what_was_booked_in_its_memory_only_fails(answering: Answering, told: str, tmp_path: Path) -> None:
    judgement = drained_with_books(tmp_path, answering)
    assert (judgement.status, told in judgement.reason) == (Status.FAIL, True)


def test_books_that_nobody_shows_prove_nothing(tmp_path: Path) -> None:
    assert drained_with_books(tmp_path, draining).status is Status.INCONCLUSIVE


# -- the service's own counts ------------------------------------------------------------------------------------------

COUNTS = check_of("server counts", at="1s", **{"for": "8s"})


def metrics(*, count: float = 160, mean_s: float = 0.5, status: str = "200", errors: float = 0) -> Answering:
    """Return readings at 3 s and 11 s; the default load has some 160 requests of 0.5 s between them."""

    def answering(probe: Probe, _: int, instance: str | None) -> A:
        base = 100.0 + (0 if probe.name == "first" else count / 2)
        labels = f'method="POST",route="/v1/chat/completions",status_code="{status}"'
        text = f"# HELP x\nhttp_request_duration_seconds_count{{{labels}}} {base}\n"
        text += f"http_request_duration_seconds_sum{{{labels}}} {base * mean_s}\n"
        text += f'http_request_duration_seconds_count{{method="GET",route="/ready",status_code="200"}} {base * 9}\n'
        return A(body=text)

    return answering


def test_counts_that_agree_pass(tmp_path: Path) -> None:
    judgement = seen(tmp_path, COUNTS, metrics(), samples=healthy_samples())
    assert judgement.status is Status.PASS, judgement.reason


@pytest.mark.parametrize(
    ("answering", "told"),
    [
        (metrics(count=120), "counted 120"),
        (metrics(count=200), "counted 200"),
        (metrics(mean_s=500.0), "on average"),
        (metrics(status="500"), "of status 200"),
    ],
)
def test_counts_that_disagree_fail(answering: Answering, told: str, tmp_path: Path) -> None:
    judgement = seen(tmp_path, COUNTS, answering, samples=healthy_samples())
    assert judgement.status is Status.FAIL
    assert told in judgement.reason


def test_counts_that_could_not_be_read_or_compared_are_inconclusive(tmp_path: Path) -> None:
    one = metrics()
    without_b: Answering = lambda p, n, i: A(status=None, result="error") if i == "b" and p.name == "last" else one(p, n, i)  # noqa: E731
    assert seen(tmp_path, COUNTS, without_b, samples=healthy_samples()).status is Status.INCONCLUSIVE
    assert seen(tmp_path, COUNTS, None, samples=healthy_samples()).status is Status.INCONCLUSIVE
    assert seen(tmp_path, COUNTS, metrics(count=10), samples=healthy_samples(1)).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (check_of("health", ready="perhaps"), "stays, goes"),
        (check_of("health", settles="9s"), "lasts 10 s only"),
        (check_of("breaker", settles="9s"), "lasts 10 s only"),
        (check_of("breaker", probes=-1), "must be 0 or more"),
        (check_of("breaker", circuit="closes", probes=1), "needs `circuit: opens`"),
        (check_of("drain", at="9s"), "lasts 10 s"),
        (check_of("server counts", **{"for": "100ms"}), "1s apart"),
        (check_of("time limits", within="0s"), "more than nought"),
    ],
)
def test_a_setting_that_could_show_nothing_is_refused(check: PlannedCheck, told: str) -> None:
    from harness.checks import PLANNERS

    with pytest.raises(ValueError, match=told):
        PLANNERS[check.name].plan(check, STEADY if check.phase == "steady" else OUTAGE)


def test_the_default_load_is_what_the_tests_take_it_for() -> None:
    rows = healthy_samples()
    assert sum(row.intended_ns > 3 * S and (row.ended_ns or 0) < 11 * S for row in rows) in range(140, 161)
    assert sample(0, 1.0).ended_ns == round(1.5 * S)
