"""What the reservation leak check sends: users with a small budget who each leave an answer in the middle.

Each is a stream of which the client hangs up, one a little later than the other, before the hundreds of tokens that were reserved
are said. What it costs then is for the service to decide: what was seen, or all that was held; the provider bills what it
had said. But nothing may stay *held*: so each user then asks for more than a whole budget buys, which is refused whatever
was spent, and the refusal says how much is spent and how much is held. Three times, because a busy machine hears late that a
client has gone.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.checks.too_dear import MODEL, too_dear
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Probe
from harness.model.simulated import SIMULATED_MODELS, count_tokens

LEAVING = 16
LEAVES_AFTER_NS, LATER_NS = 250 * MS, 40 * MS
"""When the first leaves, and how much later each further one: on a slow machine the first leave before their call is made, on a
quick one some answers are over before the last leave."""
ACCOUNTS = 3
MAX_TOKENS = 400
PROMPT = (
    "Explain in full sentences how the service contract {n} for a machine is settled when it was moved between two sites in the "
    "middle of a quarter: who pays for the transport, how the fixed sum of the month is divided, what happens with the hours "
    "that were counted while the machine was tested after its arrival, and how both sites can see from the statement that "
    "nothing was charged twice. Say also which papers are needed, who signs them, where they are kept and for how long, what "
    "is done when one of them is lost, and how the rate of the second site is found when it has had no such machine before. "
    "Give an example with figures for a quarter of ninety days of which the machine stood forty at the first site."
)


class ReservationLeakPlanner:
    """The planning half of the check."""

    name: str = "reservation leak"
    title: str = "An answer that nobody waited for is cancelled, booked, and holds no money afterwards"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and the users. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=7 * S)
        probes: list[Probe] = []
        names = [f"leaver-{check.id}-{n}" for n in range(LEAVING)]
        for n, principal in enumerate(names):
            probe = partial(Probe, check_id=check.id, principal=principal, lane=f"{check.id}-{n}")
            probes += [
                probe(
                    name=f"leaves-{n}",
                    at_ns=t + n * 100 * MS,
                    body=chat(PROMPT.format(n=n), model=MODEL, max_tokens=MAX_TOKENS, stream=True),
                    streamed=True,
                    timeout_ns=LEAVES_AFTER_NS + n * LATER_NS,
                ),
                probe(
                    name=f"account-{n}",
                    at_ns=t + 3 * S,
                    body=too_dear(n),
                    count=ACCOUNTS,
                    every_ns=S,
                ),
            ]
        return CheckSteps(probes=tuple(probes), capped_principals=dict.fromkeys(names, cap_usd()))


PLANNER = ReservationLeakPlanner()


def reservation_usd() -> float:
    """Return what a service must hold for one such answer."""
    return SIMULATED_MODELS[MODEL].cost_usd(count_tokens(PROMPT), MAX_TOKENS)


def cap_usd() -> float:
    """Return a user's budget: enough for the answer, and never for the question that is too dear."""
    return 1.05 * reservation_usd()
