"""One worker's part of the run, laid out before it starts: when, who, what. Flat arrays, no object an arrival."""

import heapq
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.arrivals import Arrivals, arrivals_of
from harness.arrivals.blocks import arm_of
from harness.load.deal import Deal, Dealer, principal_name
from harness.model.plan import Plan, UserClass

_Row = tuple[int, int, int, int, int, int, int, int]
"""intended_ns, seq, request, principal, of_burst, prompt_tokens, max_tokens, number of turns"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A kind of request, as the schedule names it by number. follow_ups: what its conversation goes on with."""

    user_class: UserClass
    prompt: str
    streamed: bool
    follow_ups: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Schedule:
    """Arrivals in the order they fall due, then the later turns of conversations; the columns are of one length.

    seq: the number of the arrival in the whole run: the mix's first, then those of the bursts, then later turns.
    intended_ns: from the run's zero; of a later turn the earliest that it could be, until the answer before it came.
    request, principal, phase: places in the tables below. of_burst: 1 for an arrival of a burst. prompt_tokens,
    max_tokens: of this one arrival, -1 for none of its own. conversation: the seq of its first turn, -1 outside of one;
    turn: from 1; next_turn: the place of the next turn, -1 for none. open_count: how many arrivals fall due by themselves.
    """

    seq: "array[int]" = field(default_factory=lambda: array("q"))
    intended_ns: "array[int]" = field(default_factory=lambda: array("q"))
    request: "array[int]" = field(default_factory=lambda: array("i"))
    principal: "array[int]" = field(default_factory=lambda: array("i"))
    phase: "array[int]" = field(default_factory=lambda: array("h"))
    of_burst: bytearray = field(default_factory=bytearray)
    prompt_tokens: "array[int]" = field(default_factory=lambda: array("i"))
    max_tokens: "array[int]" = field(default_factory=lambda: array("i"))
    conversation: "array[int]" = field(default_factory=lambda: array("q"))
    turn: "array[int]" = field(default_factory=lambda: array("i"))
    next_turn: "array[int]" = field(default_factory=lambda: array("i"))
    requests: list[Request]
    principals: tuple[str, ...]
    phases: tuple[str, ...]
    phase_starts_ns: tuple[int, ...]
    open_count: int = 0

    def __len__(self) -> int:
        return len(self.seq)

    def add(self, row: _Row, *, conversation: int = -1, turn: int = 0) -> int:
        """Add an arrival; return its place."""
        intended_ns, seq, request, principal, of_burst, prompt_tokens, max_tokens, _ = row
        self.seq.append(seq)
        self.intended_ns.append(intended_ns)
        self.request.append(request)
        self.principal.append(principal)
        self.phase.append(max(bisect_right(self.phase_starts_ns, intended_ns) - 1, 0))
        self.of_burst.append(of_burst)
        self.prompt_tokens.append(prompt_tokens)
        self.max_tokens.append(max_tokens)
        self.conversation.append(conversation)
        self.turn.append(turn)
        self.next_turn.append(-1)
        return len(self.seq) - 1

    def move(self, index: int, intended_ns: int) -> None:
        """Fix when a later turn falls due."""
        self.intended_ns[index] = intended_ns
        self.phase[index] = self.phase_at(intended_ns)

    def phase_at(self, at_ns: int) -> int:
        """Return the place of the phase that holds a moment."""
        return max(bisect_right(self.phase_starts_ns, at_ns) - 1, 0)


def build_schedule(plan: Plan, *, worker: int = 0, workers: int = 1) -> Schedule:
    """Return the arrivals k of the plan with k mod workers == worker. Pure. Raises ValueError on a bad mix or segment.

    The later turns of a conversation belong to the worker of its first.
    """
    return Layout(plan, worker=worker, workers=workers).schedule


class Layout:
    """Lays the rows of one schedule, and goes on laying those of a closed loop while it runs. Raises ValueError."""

    def __init__(self, plan: Plan, *, worker: int = 0, workers: int = 1) -> None:
        if not 0 <= worker < workers:
            raise ValueError(f"worker {worker} of {workers} does not exist; workers count from 0")
        self._plan = plan
        self._numbers: dict[tuple[int, int, bool], int] = {}
        self._dealer = Dealer(plan.load, plan.seed) if plan.load.mix else None
        self.schedule = Schedule(
            requests=[],
            principals=(
                *(principal_name(number) for number in range(plan.load.principals)),
                *(burst.principal for burst in plan.load.bursts),
            ),
            phases=tuple(phase.name for phase in plan.phases),
            phase_starts_ns=tuple(phase.start_ns for phase in plan.phases),
        )
        mixed = arrivals_of(plan.load.segments, plan.seed)
        count = len(mixed.intended_ns)
        rows = heapq.merge(self._mixed(mixed, worker, workers), self._bursts(count, worker, workers))
        opened = list(self._chained(rows))
        self.schedule.open_count = len(self.schedule)
        self._free_seq = self._lay_later_turns(opened, count, worker, workers)

    def add_closed(self, k: int, *, intended_ns: int, principal: int) -> int:
        """Add what a user of a closed loop asks now, its k-th request of all; return its place."""
        deal = self._deal(k)
        mix = self._plan.load.mix
        request = self._number_of(mix[deal.user_class], (deal.user_class, deal.prompt, deal.streamed))
        seq, self._free_seq = self._free_seq, self._free_seq + 1
        return self.schedule.add((intended_ns, seq, request, principal, 0, deal.prompt_tokens, -1, 1))

    def add_asked(self, request: int, *, intended_ns: int) -> int:
        """Add what a task of a locustfile asks by itself; return its place."""
        seq, self._free_seq = self._free_seq, self._free_seq + 1
        return self.schedule.add((intended_ns, seq, request, 0, 0, -1, -1, 1))

    def _deal(self, k: int) -> Deal:
        if self._dealer is None:
            raise ValueError("a mix needs at least one class, and each class a prompt")
        return self._dealer.deal(k)

    def _mixed(self, arrivals: Arrivals, worker: int, workers: int) -> Iterator[_Row]:
        """Yield the arrivals of the mix, dealt."""
        mix = self._plan.load.mix
        for seq in range(worker, len(arrivals.intended_ns), workers):
            if not self._is_ours(arrivals.intended_ns[seq]):
                continue
            deal = self._deal(seq)
            request = self._number_of(mix[deal.user_class], (deal.user_class, deal.prompt, deal.streamed))
            traced = arrivals.prompt_tokens[seq]
            tokens = traced if traced >= 0 else deal.prompt_tokens
            turns = 1 + len(self.schedule.requests[request].follow_ups)
            yield (arrivals.intended_ns[seq], seq, request, deal.principal, 0, tokens, arrivals.max_tokens[seq], turns)

    def _is_ours(self, at_ns: int) -> bool:
        """Return whether this run sends an arrival, and not the one that shares the schedule with it."""
        dealt = self._plan.load.dealt
        return dealt is None or arm_of(at_ns, dealt.block_ns, self._plan.seed) == dealt.arm

    def _bursts(self, seq: int, worker: int, workers: int) -> Iterator[_Row]:
        """Yield the arrivals of the bursts, in the order they fall due, numbered in the order written."""
        rows: list[_Row] = []
        load = self._plan.load
        for place, burst in enumerate(load.bursts):
            if not burst.user_class.prompts:
                raise ValueError(f"the burst of {burst.check_id} has no prompt")
            for _ in range(burst.count):
                if seq % workers == worker:
                    kind = (len(load.mix) + place, seq % len(burst.user_class.prompts), burst.streamed)
                    rows.append(
                        (burst.at_ns, seq, self._number_of(burst.user_class, kind), load.principals + place, 1, -1, -1, 1)
                    )
                seq += 1
        return iter(sorted(rows))

    def _chained(self, rows: Iterator[_Row]) -> Iterator[tuple[int, int]]:
        """Add rows; yield the places and turns of those that begin a conversation."""
        is_talk = any(user_class.follow_ups for user_class in self._plan.load.mix)
        for row in rows:
            begins = is_talk and row[7] > 1
            index = self.schedule.add(row, conversation=row[1] if begins else -1, turn=1 if begins else 0)
            if begins:
                yield index, row[7]

    def _lay_later_turns(self, opened: Sequence[tuple[int, int]], mixed: int, worker: int, workers: int) -> int:
        """Add a row for every later turn; return the first number that is free after them.

        They are numbered after all that is due by itself, by the order of their conversations over all workers.
        """
        load = self._plan.load
        seq = mixed + sum(burst.count for burst in load.bursts)
        if not any(user_class.follow_ups for user_class in load.mix):
            return seq
        place_of = {self.schedule.seq[index]: index for index, _ in opened}
        for k in range(mixed):
            deal = self._deal(k)
            follow_ups = load.mix[deal.user_class].follow_ups
            later = len(follow_ups[deal.prompt]) if follow_ups else 0
            if k % workers == worker and k in place_of:
                self._lay_turns(place_of[k], later, seq)
            seq += later
        return seq

    def _lay_turns(self, index: int, later: int, seq: int) -> None:
        schedule = self.schedule
        for turn in range(2, later + 2):
            kind = schedule.request[index]
            earliest_ns = schedule.intended_ns[index] + schedule.requests[kind].user_class.think_ns
            row = (earliest_ns, seq, kind, schedule.principal[index], 0, -1, schedule.max_tokens[index], 1)
            following = schedule.add(row, conversation=schedule.conversation[index], turn=turn)
            schedule.next_turn[index] = following
            index, seq = following, seq + 1

    def _number_of(self, user_class: UserClass, kind: tuple[int, int, bool]) -> int:
        """Return the number of a kind of request, a new one where it is new."""
        number = self._numbers.get(kind)
        if number is None:
            _, prompt, streamed = kind
            number = self._numbers[kind] = len(self.schedule.requests)
            follow_ups = user_class.follow_ups[prompt] if user_class.follow_ups else ()
            self.schedule.requests.append(
                Request(user_class=user_class, prompt=user_class.prompts[prompt], streamed=streamed, follow_ups=follow_ups)
            )
        return number
