"""What the cache age check asks: four questions, each answered at one instance and asked again after the clocks were moved.

An hour is longer than a run, so the scenario moves the wall clocks of both instances: first to just before the answers are
old, then to just after. Whoever answered has the answer in its memory; the other instance knows it from the shared level
alone. Each level is asked once while the answer is young, and once when it is old. How old an answer is, is reckoned from
the clocks' faults that were in force.
"""

from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import MadePrincipal, Probe
from harness.model.units import parse_duration_ns

FIRST = "first"
LEVELS = ("memory", "shared")
AGES = ("young", "old")


class CacheAgePlanner:
    """The planning half of the check."""

    name: str = "cache age"
    title: str = "A cached answer is given until it is old and not longer, in memory and shared, by clocks that are moved"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(name="ttl_s", type=int, doc="how long an answer may be given again", low=4, high=31_536_000, default=3600),
        Parameter(
            name="young", type=str, doc="when they are asked again, from the start of the check: a duration", default="15s"
        ),
        Parameter(name="old", type=str, doc="when they are asked once they are old, from the start: a duration", default="30s"),
        Parameter(name="answers", type=str, doc="the instance that answers first", default="a"),
        Parameter(name="other", type=str, doc="the one that knows it from the shared level", default="b"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes; the phase may be over when they are asked again. Raises ValueError on a setting out of range."""
        values = complete(self.settings, check.settings)
        later_ns = {age: parse_duration_ns(values[age]) for age in AGES}
        if not 4 * S <= later_ns["young"] < later_ns["old"]:
            raise ValueError(
                f"`young` is {values['young']} and `old` {values['old']}; the first must be at least 4s, the second more"
            )
        t = start_of(values, phase, lasts_ns=S)
        answers, other = str(values["answers"]), str(values["other"])
        if answers == other:
            raise ValueError(f"`answers` and `other` are both {other!r}; the shared level is seen at another instance only")
        who = f"curious-{check.id}"
        probes: list[Probe] = []
        for level in LEVELS:
            for age in AGES:
                case = f"{level}-{age}"
                body = chat(f"Explain the {age} {level} clause of agreement {check.id} in full.", temperature=0)
                ask = partial(Probe, check_id=check.id, principal=who, body=body, lane=f"{check.id}-{case}")
                probes += [
                    ask(name=f"{FIRST}-{case}", at_ns=t, instance=answers),
                    ask(name=case, at_ns=t + later_ns[age], instance=answers if level == "memory" else other),
                ]
        return CheckSteps(probes=tuple(probes), principals=(MadePrincipal(name=who),))


PLANNER = CacheAgePlanner()
