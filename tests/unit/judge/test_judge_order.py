"""Order: what was said arrives as it was said, and turns one after the other."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from run_builder import KNOWLEDGE, RunBuilder, call_of, healthy_samples, sample

from harness.judge import judge
from harness.model.judgement import Judgement, Status
from harness.model.objective import Kind, Objective, Quantity
from harness.model.plan import Plan
from harness.model.sample import Call, Sample
from harness.model.text_digest import text_digest

ORDER = Objective(
    id="order", kind=Kind.INVARIANT, quantity=Quantity.ORDER, op="<=", limit=0.0, written="order never changed", during=()
)
S = 1_000_000_000
SAID = "one two three four"


class Talking(RunBuilder):
    """The default run, whose users hold conversations."""

    def plan(self) -> Plan:
        plan = super().plan()
        return replace(plan, load=replace(plan.load, mix=(replace(KNOWLEDGE, follow_ups=(("And then?",),)),)))


def judged(path: Path, rows: list[Sample], calls: list[Call] | None, **more: object) -> Judgement:
    run = Talking(objectives=(ORDER,), samples=rows, calls=calls, **more).build(path)  # type: ignore[arg-type]
    return next(r for r in judge(run).results if r.id == "order")


def texts(heard: str, *, said: str = SAID, of: int = 100, rest: str = SAID) -> tuple[list[Sample], list[Call]]:
    """Return the default run in which request `of` heard one thing and the provider said another; the others heard `rest`."""
    rows = [replace(row, text_digest=text_digest(heard if row.seq == of else rest)) for row in healthy_samples()]
    return rows, [call_of(row, text_digest=text_digest(said)) for row in rows]


def test_texts_that_came_as_they_were_said_pass_wherever_their_blanks_fell(tmp_path: Path) -> None:
    seen = judged(tmp_path, *texts("one two  three four "))
    assert seen.status is Status.PASS
    assert seen.test is not None
    assert seen.test.n == 640


def test_pieces_that_changed_places_fail_in_an_invalid_run_too(tmp_path: Path) -> None:
    seen = judged(tmp_path / "a", *texts("one three two four"))
    assert seen.status is Status.FAIL
    assert [part.ref for part in seen.evidence] == ["100"]
    assert judged(tmp_path / "b", *texts("one three two four"), manifest=False).status is Status.FAIL


def test_an_answer_given_by_the_second_of_two_calls_is_held_against_both(tmp_path: Path) -> None:
    rows, calls = texts(SAID)
    first_try = call_of(rows[5], call_id="first-try", text_digest=text_digest("four three two one"))
    assert judged(tmp_path, rows, [first_try, *calls]).status is Status.PASS


def test_another_text_is_no_other_order_and_is_told(tmp_path: Path) -> None:
    seen = judged(tmp_path, *texts("one two *** four"))
    assert seen.status is Status.PASS
    assert "1 answer says something else" in seen.reason


def test_where_most_texts_are_changed_nothing_is_known(tmp_path: Path) -> None:
    assert judged(tmp_path, *texts(SAID, rest="something else")).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("fault", ["malformed_json", "slow_first_token,missing_done"])
def test_a_call_that_a_fault_broke_is_held_against_nothing(tmp_path: Path, fault: str) -> None:
    rows, calls = texts("one three two four")
    calls = [replace(call, fault=fault) if call.call_id == "call-100" else call for call in calls]
    seen = judged(tmp_path, rows, calls)
    assert seen.status is Status.PASS
    assert seen.test is not None
    assert seen.test.n == 639


def test_without_texts_without_records_or_without_the_columns_nothing_is_known(tmp_path: Path) -> None:
    assert judged(tmp_path / "a", healthy_samples(), None).status is Status.INCONCLUSIVE
    without = judged(tmp_path / "b", healthy_samples(), None, without_truth=True, target_kind="external")
    assert without.status is Status.INCONCLUSIVE
    run = RunBuilder(objectives=(ORDER,), manifest=False).build(tmp_path / "c")
    for path in (run.samples_path, run.path / "truth" / "calls.parquet"):  # as a run has them that is older than texts
        table = pq.read_table(path)
        pq.write_table(table.drop_columns(["text_digest"]), path)
    run.write_manifest()
    assert next(r for r in judge(run).results if r.id == "order").status is Status.INCONCLUSIVE
    assert run.samples()["text_digest"].null_count == 640


def turns(second_at_s: float, first_received_s: float) -> tuple[list[Sample], list[Call]]:
    """Return a conversation of two turns, and when the provider was asked for the first of them."""
    rows = [sample(0, 3.0, conversation="t0", turn=1), sample(1, second_at_s, conversation="t0", turn=2), sample(2, 5.0)]
    calls = [call_of(row) for row in rows]
    return rows, [replace(calls[0], received_ns=round(first_received_s * S)), *calls[1:]]


def test_turns_that_follow_each_other_pass(tmp_path: Path) -> None:
    seen = judged(tmp_path, *turns(4.0, 3.1))
    assert seen.status is Status.PASS
    assert seen.test is not None
    assert seen.test.n == 1


def test_a_turn_that_is_asked_for_after_a_later_one_fails(tmp_path: Path) -> None:
    seen = judged(tmp_path, *turns(4.0, 4.5))
    assert seen.status is Status.FAIL
    assert "1 turn of a conversation reached the provider after a later one" in seen.reason
