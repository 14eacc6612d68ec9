"""What the cache check sends: questions with temperature 0, which alone are kept.

Two questions are asked until both instances hold them, then by another tenant, then again after the knowledge base has
changed: question `first` at instance a and `second` at b, because the first that asks fills the shared level for both;
and once for another model, whose answer is another one. A third question is asked by six users at one moment. Beside it
all one user spends the requests of a minute before and after the change: whoever empties the whole store also empties
the counters.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Action, MadePrincipal, Probe

CROWD = 6
OTHER_MODEL = "sim-backup"
"""One that nobody is sent to who leaves the choice to the service."""
QUESTIONS = ("first", "second")
LIMIT = 10
BEFORE = 6
"""Greetings of the counted user before the change; as many after it, two more than the limit."""


class CachePlanner:
    """The planning half of the check."""

    name: str = "cache"
    title: str = "Cached answers stay with their tenant, are old everywhere at once, and are fetched once"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and the change. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=10 * S)
        here, there = f"here-{check.id}", f"there-{check.id}"
        asker, other, officer, counted = (f"{who}-{check.id}" for who in ("reader", "foreigner", "editor", "counted"))
        crowd = tuple(f"crowd-{check.id}-{n}" for n in range(CROWD))
        probe = partial(Probe, check_id=check.id)
        bodies = {name: _question(f"the {name} clause of contract {check.id}") for name in (*QUESTIONS, "crowd")}
        probes: list[Probe] = []
        for name in QUESTIONS:
            ask = partial(probe, body=bodies[name])
            probes += [
                ask(name=f"{name}-asked", at_ns=t, principal=asker),
                ask(name=f"{name}-again", at_ns=t + 3 * S, principal=asker, instance=EVERY_INSTANCE),
                ask(name=f"{name}-foreign", at_ns=t + 3 * S, principal=other),
            ]
        probes.append(
            probe(
                name="other-model",
                at_ns=t + 3 * S,
                principal=crowd[0],
                body=_question(f"the first clause of contract {check.id}", model=OTHER_MODEL),
                lane=f"{check.id}-model",
            )
        )
        after = partial(probe, at_ns=t + 5 * S, principal=asker, after="change", after_ns=500 * MS)
        probes += [
            after(name="first-changed", body=bodies["first"], instance="a", lane=f"{check.id}-a"),
            after(name="second-changed", body=bodies["second"], instance="b", lane=f"{check.id}-b"),
        ]
        probes += [
            probe(name=f"crowd-{n}", at_ns=t + S, principal=who, body=bodies["crowd"], lane=f"{check.id}-crowd-{n}")
            for n, who in enumerate(crowd)
        ]
        greet = partial(probe, principal=counted, body=chat("Hello!"), lane=f"{check.id}-counted")
        probes += [
            greet(name="counted-before", at_ns=t, count=BEFORE, every_ns=100 * MS),
            greet(name="counted-after", at_ns=t + 5 * S, count=BEFORE, every_ns=100 * MS, after="change", after_ns=500 * MS),
        ]
        document = {"id": f"doc-{check.id}", "title": "A new clause", "body": "The new clause holds from the first of May."}
        return CheckSteps(
            probes=tuple(probes),
            actions=(
                Action(
                    check_id=check.id,
                    name="change",
                    at_ns=t + 4500 * MS,
                    does="update-knowledge",
                    principal=officer,
                    arguments=document,
                ),
            ),
            principals=(
                *(MadePrincipal(name=name, tenant=here) for name in (asker, counted, *crowd)),
                MadePrincipal(name=officer, tenant=here, role="admin"),
                MadePrincipal(name=other, tenant=there),
            ),
        )


def _question(about: str, **further: str) -> str:
    return chat(f"Explain {about} in full sentences to somebody who has never read one.", temperature=0, **further)


PLANNER = CachePlanner()
