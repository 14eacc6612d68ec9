"""One worker's part of the run, laid out before it starts: when, who, what. Flat arrays, no object an arrival."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.arrivals import intended_ns
from harness.load.deal import Dealer, principal_name
from harness.model.plan import Phase, Plan, UserClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A kind of request, as the schedule names it by number."""

    user_class: UserClass
    prompt: str
    streamed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Arrivals in the order they fall due; the columns are of one length.

    seq: the number of the arrival in the whole run: the mix's first, then those of the bursts. intended_ns: from the
    run's zero. request, principal, phase: places in the tables below. of_burst: 1 for an arrival of a burst.
    """

    seq: "array[int]"
    intended_ns: "array[int]"
    request: "array[int]"
    principal: "array[int]"
    phase: "array[int]"
    of_burst: bytearray
    requests: tuple[Request, ...]
    principals: tuple[str, ...]
    phases: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.seq)


def build_schedule(plan: Plan, *, worker: int = 0, workers: int = 1) -> Schedule:
    """Return the arrivals k of the plan with k mod workers == worker. Pure. Raises ValueError on a bad mix or segment."""
    if not 0 <= worker < workers:
        raise ValueError(f"worker {worker} of {workers} does not exist; workers count from 0")
    mixed = intended_ns(plan.load.segments, plan.seed)
    requests: dict[tuple[int, int, bool], int] = {}
    table: list[Request] = []
    principals = [principal_name(number) for number in range(plan.load.principals)]
    rows: list[tuple[int, int, int, int, int]] = []  # intended_ns, seq, request, principal, of_burst

    def number_of(place: tuple[int, int, bool], user_class: UserClass) -> int:
        if place not in requests:
            requests[place] = len(table)
            table.append(Request(user_class=user_class, prompt=user_class.prompts[place[1]], streamed=place[2]))
        return requests[place]

    dealer = Dealer(plan.load, plan.seed) if mixed else None
    for seq in range(worker, len(mixed), workers):
        assert dealer is not None
        deal = dealer.deal(seq)
        request = number_of((deal.user_class, deal.prompt, deal.streamed), plan.load.mix[deal.user_class])
        rows.append((mixed[seq], seq, request, deal.principal, 0))
    seq = len(mixed)
    for place, burst in enumerate(plan.load.bursts, start=len(plan.load.mix)):
        if not burst.user_class.prompts:
            raise ValueError(f"the burst of {burst.check_id} has no prompt")
        principals.append(burst.principal)
        for _ in range(burst.count):
            if seq % workers == worker:
                request = number_of((place, seq % len(burst.user_class.prompts), burst.streamed), burst.user_class)
                rows.append((burst.at_ns, seq, request, len(principals) - 1, 1))
            seq += 1
    rows.sort()
    return _columns(rows, table, principals, plan.phases)


def _columns(
    rows: Sequence[tuple[int, int, int, int, int]],
    requests: Sequence[Request],
    principals: Sequence[str],
    phases: Sequence[Phase],
) -> Schedule:
    starts = [phase.start_ns for phase in phases]
    return Schedule(
        intended_ns=array("q", (row[0] for row in rows)),
        seq=array("q", (row[1] for row in rows)),
        request=array("i", (row[2] for row in rows)),
        principal=array("i", (row[3] for row in rows)),
        of_burst=bytearray(row[4] for row in rows),
        phase=array("h", (max(bisect_right(starts, row[0]) - 1, 0) for row in rows)),
        requests=tuple(requests),
        principals=tuple(principals),
        phases=tuple(phase.name for phase in phases),
    )
