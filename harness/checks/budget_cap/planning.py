"""What the budget cap check sends: users with a small budget, who all ask at once for much more than it buys.

The arithmetic. A service that reserves before it calls holds, for each call, `prompt tokens x input price + max_tokens
x output price`. The prompt below has about 155 tokens and asks for 40 at most; it is no FAQ, so the reference service
allows min(3 x 155, 500) = 465 and takes the client's 40. At sim-large's $3 and $15 a million tokens one reservation is
155 x 3 + 40 x 15 = 1,065 millionths of a dollar. A simulated answer has 60 tokens at the median, so most are cut at 40
and a call really costs about 96 % of what is reserved for it: a service that checks first and counts later overshoots
by nearly as much as it lets through, and it shows.

Each user's cap is its share of `calls`, and half a call: a service whose estimate of a prompt is a fifth higher than
ours still lets the same number through, and none gets one more.

Several users, because an ordinary user may send only 10 requests a minute: with the defaults each of 5 sends 8 at
once, and its budget buys 2. With `again` the same users ask once more later: their budgets are gone by then, whatever
happened to the service in between. The model is named: a service that is left the choice turns to a cheap model near the
end of a budget, of which the rest buys hundreds of calls, and the burst would end without a single refusal.
Source: docs/decisions/0071-the-budget-burst.md
"""

from collections.abc import Mapping

from harness.model.check import CheckSteps
from harness.model.fault import Parameter, Scalar
from harness.model.plan import Burst, Phase, PlannedCheck, UserClass
from harness.model.simulated import SIMULATED_MODELS, count_tokens
from harness.model.units import format_duration, parse_duration_ns

MAX_TOKENS = 40
PROMPT = (
    "Explain in full sentences how the service contract for machine {n} is settled when the machine was moved between two "
    "sites in the middle of a quarter. The first site pays a fixed sum for each month that has begun, the second one pays by "
    "the hours that the counter of the machine shows, and the transport took four working days during which nobody used it. "
    "Say which site pays for the days of the transport, how the fixed sum of the month is divided, what happens with hours "
    "that were counted while the machine was tested after its arrival, and how both sites can see from the statement that "
    "nothing was charged twice."
)


class BudgetCapPlanner:
    """The planning half of the check."""

    name: str = "budget cap"
    title: str = "A hard budget holds while concurrent calls ask for more"
    settings: tuple[Parameter, ...] = (
        Parameter(name="burst", type=int, doc="requests sent at one moment, over all users", low=2, high=10_000, default=40),
        Parameter(name="calls", type=int, doc="how many of them the budgets buy together", low=1, high=5_000, default=10),
        Parameter(
            name="users", type=int, doc="users who share the burst, each with a budget of its own", low=1, high=1_000, default=5
        ),
        Parameter(name="at", type=str, doc="when, from the start of the phase: a duration", default="1s"),
        Parameter(name="again", type=str, doc="how long after it all is sent once more: a duration, 0s for never", default="0s"),
        Parameter(name="model", type=str, doc="the model asked for", default="sim-large", choices=tuple(SIMULATED_MODELS)),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the bursts and the budgets for one use of the check.

        Raises ValueError on a setting that is out of its range, or a burst that its budgets could pay.
        """
        values = self._values(check.settings)
        burst, calls, users, model = (values[name] for name in ("burst", "calls", "users", "model"))
        assert isinstance(burst, int)
        assert isinstance(calls, int)
        assert isinstance(users, int)
        if burst % users or calls % users:
            raise ValueError(f"`burst` ({burst}) and `calls` ({calls}) must divide evenly over `users` ({users})")
        if calls * 2 > burst:
            raise ValueError(f"the budgets buy {calls} of {burst} calls; a burst must ask for at least twice what they buy")
        offset_ns, again_ns = (parse_duration_ns(values[name]) for name in ("at", "again"))
        if again_ns and offset_ns + again_ns >= phase.end_ns - phase.start_ns:
            length = format_duration(phase.end_ns - phase.start_ns)
            raise ValueError(f"`again` is {values['again']} after `at`, but phase {phase.name!r} lasts {length} only")
        if offset_ns >= phase.end_ns - phase.start_ns:
            length = format_duration(phase.end_ns - phase.start_ns)
            raise ValueError(f"`at` is {values['at']}, but phase {phase.name!r} lasts {length} only")
        user_class = UserClass(
            name=class_name(check), weight_ratio=0.0, prompts=(PROMPT,), model=str(model), max_tokens=MAX_TOKENS
        )
        names = [f"capped-{check.id}" if users == 1 else f"capped-{check.id}-{number}" for number in range(1, users + 1)]
        return CheckSteps(
            bursts=tuple(
                Burst(
                    check_id=check.id,
                    at_ns=at_ns,
                    count=burst // users,
                    user_class=user_class,
                    principal=name,
                )
                for at_ns in (phase.start_ns + offset_ns, phase.start_ns + offset_ns + again_ns)[: 2 if again_ns else 1]
                for name in names
            ),
            capped_principals=dict.fromkeys(names, (calls // users + 0.5) * reservation_usd(user_class)),
        )

    def _values(self, given: Mapping[str, Scalar]) -> dict[str, Scalar | None]:
        values: dict[str, Scalar | None] = {}
        for setting in self.settings:
            value = given.get(setting.name, setting.default)
            if isinstance(value, bool) or not isinstance(value, setting.type):
                raise ValueError(f"`{setting.name}` is {value!r}; it wants {setting.doc} ({setting.type.__name__})")
            if isinstance(value, int) and not (setting.low or 0) <= value <= (setting.high or value):
                raise ValueError(f"`{setting.name}` is {value}; allowed: {setting.low} to {setting.high}")
            if setting.choices and value not in setting.choices:
                raise ValueError(f"`{setting.name}` is {value!r}; allowed: {', '.join(setting.choices)}")
            values[setting.name] = value
        return values


PLANNER = BudgetCapPlanner()


def class_name(check: PlannedCheck) -> str:
    """Return the user class of the check's requests; no mix has one of that name, so they are counted apart."""
    return f"check:{check.id}"


def reservation_usd(user_class: UserClass) -> float:
    """Return what a service must hold for one call of the class: its prompt's tokens and all the tokens it may answer."""
    model = SIMULATED_MODELS[user_class.model or "sim-large"]
    prompt_tokens = max(count_tokens(prompt.replace("{n}", "10000")) for prompt in user_class.prompts)
    return model.cost_usd(prompt_tokens, MAX_TOKENS if user_class.max_tokens is None else user_class.max_tokens)
