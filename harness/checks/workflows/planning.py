"""What the workflows check does: one visitor goes through each workflow, one after the other, and what was recorded is counted.

Nobody outside sees whether a promised person is told; but the wish and the score must stand in the database. All steps are of one
lane, so that the counting comes after the last answer.
"""

import json
from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe

WISHES = ("I want to talk to a human agent about my order.", "Please connect me with a person.")
RATED_IN_WORDS = 4
SCORES = (5, 2)
"""A good and a bad one by number: who keeps only what pleases has another sum."""
DOCUMENT = "The theodolite is kept in the eastern tower. It is lent out on Fridays, for three days, against a signature."
QUESTION = "Explain on which day the theodolite of the eastern tower is lent out."


def document_of(check: PlannedCheck) -> str:
    """Return the id of the document that the knowledge question is about."""
    return f"theodolite-{check.id}"


class WorkflowsPlanner:
    """The planning half of the check."""

    name: str = "workflows"
    title: str = "Greeting, FAQ, knowledge question, wish for a person and rating each do what they promise, by themselves"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the steps of a visit. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=8 * S)
        visitor, librarian = f"visitor-{check.id}", f"curator-{check.id}"
        ask = partial(Probe, check_id=check.id, principal=visitor)
        document = {"id": document_of(check), "title": "The theodolite", "body": DOCUMENT}
        tell = partial(Action, check_id=check.id, does="tell-recorded", principal=visitor)
        rate = partial(ask, path="/feedback", chat=False, at_ns=t + 2 * S)
        return CheckSteps(
            probes=(
                ask(name="greeting", at_ns=t + S // 2, body=chat("Hello!")),
                ask(name="faq", at_ns=t + S // 2, body=chat("What are your opening hours?")),
                ask(name="knowledge", at_ns=t + S, body=chat(QUESTION)),
                *(ask(name=f"wish-{n}", at_ns=t + S, body=chat(wish)) for n, wish in enumerate(WISHES)),
                ask(name="rated-in-words", at_ns=t + 2 * S, body=chat(f"I rate this answer {RATED_IN_WORDS} out of 5!")),
                *(
                    rate(name=f"rated-{n}", body=json.dumps({"score": score, "request_id": f"r{n}"}))
                    for n, score in enumerate(SCORES)
                ),
            ),
            actions=(
                Action(
                    check_id=check.id,
                    name="put-document",
                    at_ns=t,
                    does="update-knowledge",
                    principal=librarian,
                    arguments=document,
                    lane=f"{check.id}-put",
                ),
                tell(name="recorded-before", at_ns=t),
                tell(name="recorded", at_ns=t + 4 * S),
            ),
            principals=(
                MadePrincipal(name=visitor, tenant=f"visited-{check.id}"),
                MadePrincipal(name=librarian, tenant=f"visited-{check.id}", role="admin"),
            ),
            needs=frozenset({"feedback"}),
        )


PLANNER = WorkflowsPlanner()
