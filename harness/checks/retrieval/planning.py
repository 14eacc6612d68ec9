"""What the retrieval check does: one tenant is given a long document and five short ones, and two tenants ask about the long one.

Nobody outside sees which passages a model is shown; but the provider bills them. A question that comes with the long
document is dearer by its tokens: it must be for the tenant whose document it is, and must not be for the other. The short
ones have names that stand before the long one's, so that who takes passages as they come takes those.
"""

from functools import partial

from harness.checks.planned import AT, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe

DECOYS = ("The canteen opens at noon.", "Bicycles stand in the yard.", "The lift is serviced in May.", "Keys hang at the gate.",
          "Parcels wait at the counter.")  # fmt: skip
QUESTION = "Explain how the heliograph in the northern workshop is calibrated before a survey begins."
DOCUMENT = (
    "The heliograph in the northern workshop is calibrated before every survey. Level the tripod and let the mirror cool for "
    "ten minutes. Sight the church tower, turn the shutter screw until both rings of light fall on one another, and write the "
    "reading into the survey book. Repeat the sighting from the second post. Where both readings differ by more than two "
    "divisions, clean the mirror with spirit, wait again and begin anew. A heliograph that was dropped goes to the instrument "
    "maker. The survey begins only when the foreman has signed the book, and the calibration holds for one day."
)
ASKED = 2
"""How often each tenant asks, in other words: an answer must not come from the cache, a question not be the very same."""


def document_of(check: PlannedCheck) -> dict[str, str]:
    """Return the long document as the knowledge base takes it, under an id of the check's own."""
    return {"id": f"z-{check.id}", "title": "Heliograph", "body": DOCUMENT}


class RetrievalPlanner:
    """The planning half of the check."""

    name: str = "retrieval"
    title: str = "Questions are answered from the tenant's own documents, and from those that they are about"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the documents and the questions. Raises ValueError on a setting out of range, or a phase too short."""
        t = start_of(complete(self.settings, check.settings), phase, lasts_ns=6 * S)
        librarian, reader, stranger = (f"{who}-{check.id}" for who in ("librarian", "reader", "stranger"))
        put = partial(Action, check_id=check.id, at_ns=t, does="update-knowledge", principal=librarian)
        ask = partial(Probe, check_id=check.id, at_ns=t + 3 * S, after="put-document", after_ns=S)
        decoys = [
            put(name=f"put-{n}", arguments={"id": f"a{n}-{check.id}", "title": f"Note {n}", "body": body})
            for n, body in enumerate(DECOYS)
        ]
        return CheckSteps(
            probes=tuple(
                ask(name=f"{who}-{n}", principal=principal, body=chat(f"{QUESTION} ({n})"), lane=f"{check.id}-{who}")
                for who, principal in (("own", reader), ("foreign", stranger))
                for n in range(ASKED)
            ),
            actions=(*decoys, put(name="put-document", arguments=document_of(check))),
            principals=(
                MadePrincipal(name=librarian, tenant=f"library-{check.id}", role="admin"),
                MadePrincipal(name=reader, tenant=f"library-{check.id}"),
                MadePrincipal(name=stranger, tenant=f"elsewhere-{check.id}"),
            ),
        )


PLANNER = RetrievalPlanner()
