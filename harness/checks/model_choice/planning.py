"""What the model choice check sends: questions of which it is known which model must answer them, with how many tokens.

A greeting needs no model; a short FAQ goes to the small one; a hard question to the large one. Answers are capped: by the
client's own `max_tokens`, and by three times the user's last message, whatever was said before it. A user who has spent
nine tenths of a budget and leaves the choice to the service gets the cheap model's answer and no refusal: the budget pays
for one long question to the large model, and what is left for hundreds to the cheap one.
"""

from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe
from harness.model.simulated import SIMULATED_MODELS, count_tokens

HARD = (
    "Explain step by step how the warranty for device {n} works when it was bought abroad, repaired by a third party and sold "
    "again, and compare it with the ordinary one."
)
SIMPLE = "What are your opening hours?"
SHORT = "Compare both, please."
CAPPED = 4
"""So many answers of each kind: one of them may be short by itself, not all."""
CLIENTS_CAP = 8
OWN_CAP = max(16, 3 * count_tokens(SHORT))
"""Three times the user's own message, and never below 16."""
LONG = " ".join([HARD] * 24)
"""A question whose own tokens are nearly all of what it costs."""
SPENT_RATIO = 0.94


class ModelChoicePlanner:
    """The planning half of the check."""

    name: str = "model choice"
    title: str = "Simple questions go to the small model, hard ones to the large one, and no answer exceeds its cap"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="small", type=str, doc="the model of simple questions", default="sim-small"),
        Parameter(name="large", type=str, doc="the model of hard questions", default="sim-large"),
        Parameter(name="cheap", type=str, doc="the model near the end of a budget", default="sim-cheap"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and the users. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=5 * S)
        asker, talker, spender = (f"{who}-{check.id}" for who in ("asker", "talker", "spender"))
        ask = partial(Probe, check_id=check.id, at_ns=t, principal=asker)
        spend = partial(ask, principal=spender, lane=f"{check.id}-spender")
        talk = partial(ask, principal=talker, lane=f"{check.id}-talker")
        before = [("user", LONG.format(n=1)), ("assistant", "That depends.")]
        return CheckSteps(
            probes=(
                ask(name="greeting", body=chat("Hello!")),
                ask(name="simple", body=chat(SIMPLE)),
                ask(name="hard", body=chat(HARD.format(n=2))),
                *(ask(name=f"capped-{n}", body=chat(HARD.format(n=n + 10), max_tokens=CLIENTS_CAP)) for n in range(CAPPED)),
                *(talk(name=f"talked-{n}", body=_talk(*before, ("user", f"{SHORT[:-1]} {n}"))) for n in range(CAPPED)),
                spend(name="spent", body=chat(LONG.format(n=3), model=str(values["large"]), max_tokens=1)),
                spend(name="near-the-end", at_ns=t + 2 * S, body=chat(HARD.format(n=4))),
            ),
            principals=(MadePrincipal(name=asker), MadePrincipal(name=talker)),
            capped_principals={spender: _one_long_answer_usd(str(values["large"])) / SPENT_RATIO},
        )


PLANNER = ModelChoicePlanner()


def _one_long_answer_usd(model: str) -> float:
    prices = SIMULATED_MODELS.get(model, SIMULATED_MODELS["sim-large"])
    return prices.cost_usd(count_tokens(LONG.format(n=3)), 1)


def _talk(*said: tuple[str, str]) -> str:
    import json

    return json.dumps({"messages": [{"role": role, "content": content} for role, content in said]})
