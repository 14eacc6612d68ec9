"""Rows of conversations and of closed loops in a schedule."""

from dataclasses import replace

from load_plans import S, plan

from harness.load.schedule import Layout, build_schedule
from harness.model.plan import ArrivalProcess, ArrivalSegment, UserClass

MIX = (
    UserClass(name="talk", weight_ratio=0.5, prompts=("a", "b"), follow_ups=(("c", "d"), ()), think_ns=S),
    UserClass(name="once", weight_ratio=0.5, prompts=("e",)),
)


def rows(worker: int, workers: int) -> set[tuple[int, int, int]]:
    laid = build_schedule(plan(rate_rps=20, mix=MIX), worker=worker, workers=workers)
    return set(zip(laid.seq, laid.conversation, laid.turn, strict=True))


def test_every_turn_has_a_number_of_its_own_and_the_numbers_have_no_gap() -> None:
    laid = build_schedule(plan(rate_rps=20, mix=MIX))
    assert sorted(laid.seq) == list(range(len(laid)))
    assert laid.open_count == 200
    assert len(laid) > 250
    assert all(turn > 1 for turn in laid.turn[laid.open_count :])


def test_any_number_of_workers_numbers_the_turns_alike_and_shares_them_out() -> None:
    whole = rows(0, 1)
    parts = [rows(worker, 3) for worker in range(3)]
    assert set.union(*parts) == whole
    assert sum(map(len, parts)) == len(whole)
    for part in parts:  # a conversation stays with one worker
        talks = {talk for _, talk, _ in part if talk >= 0}
        assert {row for row in whole if row[1] in talks} <= part


def test_turns_are_chained_in_order() -> None:
    laid = build_schedule(plan(rate_rps=20, mix=MIX))
    begun = [index for index in range(laid.open_count) if laid.turn[index] == 1]
    assert begun
    for index in begun:
        second = laid.next_turn[index]
        third = laid.next_turn[second]
        assert (laid.turn[second], laid.turn[third], laid.next_turn[third]) == (2, 3, -1)
        assert laid.conversation[index] == laid.conversation[second] == laid.conversation[third] == laid.seq[index]
        assert laid.intended_ns[second] == laid.intended_ns[index] + S


def test_a_closed_loop_is_numbered_after_what_was_planned() -> None:
    base = plan(rate_rps=20)
    loop = ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=10 * S, end_ns=20 * S, rate_rps=0, users=2)
    layout = Layout(replace(base, load=replace(base.load, segments=(*base.load.segments, loop))))
    planned = len(layout.schedule)
    places = [layout.add_closed(k, intended_ns=11 * S + k, principal=k % 2) for k in range(3)]
    assert places == [planned, planned + 1, planned + 2]
    assert list(layout.schedule.seq[planned:]) == [planned, planned + 1, planned + 2]
    assert layout.schedule.open_count == planned
