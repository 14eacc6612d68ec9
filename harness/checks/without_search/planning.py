"""What the without search check does: a tenant is given documents and asks about them, before, while and after the search fails.

Questions are of temperature 0, so that an answer could be kept: one that was made without its documents must not be. Those
of the outage are asked again, word by word, when it is over. `tenants` are given a document too: the load's own users then
need the search as well.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, start_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe
from harness.model.units import parse_duration_ns

ASKED = 4
EVERY_NS = 1500 * MS
BEFORE, WITHOUT, AFTER = "before", "without", "after"
_GROWS = "The orchard behind the mill has twelve rows of pear trees. They are pruned in February and watered on Mondays."


class WithoutSearchPlanner:
    """The planning half of the check."""

    name: str = "without search"
    title: str = "While the search fails, questions are answered without their documents, marked, and not kept"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(
            name="fault", type=str, doc="the place of the fault under which the search fails", default="dependencies.postgres"
        ),
        Parameter(name="without", type=str, doc="when it fails, from the start of the check: a duration", default="8s"),
        Parameter(name="after", type=str, doc="when it must work again, from the start: a duration", default="28s"),
        Parameter(name="within", type=str, doc="how long an answer may take: a duration", default="5s"),
        Parameter(name="tenants", type=str, doc="further tenants that are given a document, with commas between", default=""),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the documents and the questions. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        t = start_of(values, phase, lasts_ns=4 * S)
        without_ns, after_ns = parse_duration_ns(values["without"]), parse_duration_ns(values["after"])
        if without_ns < 4 * S or after_ns < without_ns + ASKED * EVERY_NS + 2 * S:
            raise ValueError(
                f"`without` is {values['without']} and `after` {values['after']}; "
                f"it takes 4s to ask before, and {ASKED * EVERY_NS // S + 2}s to ask without"
            )
        own = f"orchard-{check.id}"
        librarians = {own: f"librarian-{check.id}"} | {
            tenant.strip(): f"librarian-{check.id}-{n}"
            for n, tenant in enumerate(str(values["tenants"]).split(","))
            if tenant.strip()
        }
        put = partial(Action, check_id=check.id, at_ns=t, does="update-knowledge")
        actions = tuple(
            put(name=f"put-{n}", principal=who, arguments={"id": f"orchard-{check.id}", "title": "Orchard", "body": _GROWS})
            for n, who in enumerate(librarians.values())
        )
        probes: list[Probe] = []
        for n in range(ASKED):
            who = f"gardener-{check.id}-{n}"
            ask = partial(Probe, check_id=check.id, principal=who, lane=f"{check.id}-{n}")
            question = chat(f"Explain in full when row {n} of the pear trees is pruned.", temperature=0)
            probes += [
                ask(
                    name=f"{BEFORE}-{n}",
                    at_ns=t + 1500 * MS,
                    body=chat(f"Explain in full how row {n} of the pear trees is watered."),
                ),
                ask(name=f"{WITHOUT}-{n}", at_ns=t + without_ns + n * EVERY_NS, body=question),
                ask(name=f"{AFTER}-{n}", at_ns=t + after_ns, body=question),
            ]
        return CheckSteps(
            probes=tuple(probes),
            actions=actions,
            principals=(
                *(MadePrincipal(name=who, tenant=tenant, role="admin") for tenant, who in librarians.items()),
                *(MadePrincipal(name=f"gardener-{check.id}-{n}", tenant=own) for n in range(ASKED)),
            ),
        )


PLANNER = WithoutSearchPlanner()
