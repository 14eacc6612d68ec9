"""What the reservation leak check sends: a user whose budget pays for three and a half answers leaves three in the middle.

Each is a stream of which the client hangs up after 0.7 s. What was used until then is some tokens of hundreds that were
reserved; a service that lets the reservation go afterwards has money for another answer left, also where a busy machine
heard late that the client had gone; one that keeps it has half of one. Another answer is then asked for.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Probe
from harness.model.simulated import SIMULATED_MODELS, count_tokens

LEAVING, STAYING = 3, 1
MODEL = "sim-large"
MAX_TOKENS = 400
PROMPT = (
    "Explain in full sentences how the service contract for a machine is settled when it was moved between two sites in the "
    "middle of a quarter: who pays for the transport, how the fixed sum of the month is divided, what happens with the hours "
    "that were counted while the machine was tested after its arrival, and how both sites can see from the statement that "
    "nothing was charged twice. Say also which papers are needed, who signs them, where they are kept and for how long, what "
    "is done when one of them is lost, and how the rate of the second site is found when it has had no such machine before. "
    "Give an example with figures for a quarter of ninety days of which the machine stood forty at the first site."
)


class ReservationLeakPlanner:
    """The planning half of the check."""

    name: str = "reservation leak"
    title: str = "Money held for an answer that nobody waited for can be spent again"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and the user. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=8 * S)
        principal = f"leaver-{check.id}"
        probe = partial(
            Probe,
            check_id=check.id,
            principal=principal,
            body=chat(PROMPT, model=MODEL, max_tokens=MAX_TOKENS, stream=True),
            streamed=True,
        )
        leave = [probe(name=f"leaves-{n}", at_ns=t + n * S, timeout_ns=700 * MS, lane=f"{check.id}-{n}") for n in range(LEAVING)]
        stay = [probe(name=f"stays-{n}", at_ns=t + (LEAVING + 1) * S + n * 50 * MS) for n in range(STAYING)]
        return CheckSteps(probes=(*leave, *stay), capped_principals={principal: (LEAVING + 0.5) * reservation_usd()})


PLANNER = ReservationLeakPlanner()


def reservation_usd() -> float:
    """Return what a service must hold for one such answer."""
    return SIMULATED_MODELS[MODEL].cost_usd(count_tokens(PROMPT), MAX_TOKENS)
