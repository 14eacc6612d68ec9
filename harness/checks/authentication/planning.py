"""What the authentication check sends: each kind of key that must not work beside one that must.

A stranger of another tenant then asks for the first user's message, and an ordinary user for what administrators may
do. A key is revoked in the middle: it works before, and on no instance two seconds later. That the right key works is
part of the check, because a service that refuses everybody would keep every other promise.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Action, Credential, MadePrincipal, Probe

REVOKED_AFTER_NS = 2 * S
QUESTION = chat("Hello!")
DOCUMENT = '{"id":"not-yours","title":"Not yours","body":"An ordinary user may not write this."}'


class AuthenticationPlanner:
    """The planning half of the check."""

    name: str = "authentication"
    title: str = "No key, a wrong, altered or revoked one, and another tenant's key open nothing"
    settings: tuple[Parameter, ...] = (AT,)

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and the revocation. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=6 * S)
        asker, stranger, former = (f"{who}-{check.id}" for who in ("asker", "stranger", "former"))
        probe = partial(Probe, check_id=check.id, body=QUESTION)
        ask = partial(probe, at_ns=t)
        later = partial(probe, at_ns=t + 500 * MS, body=None, chat=False)
        read = partial(later, path="/message/${message:$.id}", method="GET")
        return CheckSteps(
            probes=(
                ask(name="own-key", principal=asker),
                ask(name="no-key", credential=Credential.NONE),
                ask(name="wrong-key", principal=asker, credential=Credential.WRONG),
                ask(name="altered-key", principal=asker, credential=Credential.TAMPERED),
                ask(name="before-revoking", principal=former, instance=EVERY_INSTANCE),
                ask(name="message", principal=asker, path="/message", chat=False),
                read(name="own-message", principal=asker),
                read(name="others-message", principal=stranger),
                read(name="no-key-message", credential=Credential.NONE),
                later(name="audit-as-user", principal=asker, path="/admin/audit", method="GET"),
                later(name="knowledge-as-user", principal=asker, path="/admin/knowledge", body=DOCUMENT),
                probe(
                    name="after-revoking",
                    at_ns=t + S + REVOKED_AFTER_NS,
                    principal=former,
                    instance=EVERY_INSTANCE,
                    after="revoke",
                    after_ns=REVOKED_AFTER_NS,
                ),
            ),
            actions=(Action(check_id=check.id, name="revoke", at_ns=t + S, does="revoke-key", principal=former),),
            principals=(
                MadePrincipal(name=asker, tenant=f"first-{check.id}"),
                MadePrincipal(name=stranger, tenant=f"second-{check.id}"),
                MadePrincipal(name=former, tenant=f"first-{check.id}"),
            ),
            needs=frozenset({"messages", "audit"}),
        )


PLANNER = AuthenticationPlanner()
