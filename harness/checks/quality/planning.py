"""What the quality check does: readers of one tenant ask every golden question, once, and the service is read before and after.

The ratings among the questions are there to see whether the service measures what it is told: three of eight are bad ones, so
that the satisfaction which it tells is below any limit worth having. What is gated is another figure: whether the labels say
that a reader was answered rightly.
"""

from functools import partial

from harness.checks.planned import AT, MS, S, chat, reading_of_metrics, start_of
from harness.checks.quality.golden import DOCUMENTS, GOLDEN
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe
from harness.model.units import parse_duration_ns

EACH_USER = 8
LANES = 6
EVERY_NS = 180 * MS
TOLD_AFTER_NS = 9 * S
"""How long after the last question the service is read: it reads its own figures of the day every five seconds."""

_RATIO = partial(Parameter, type=float, low=0.0, high=0.999)


class QualityPlanner:
    """The planning half of the check."""

    name: str = "quality"
    title: str = (
        "Golden questions get the right intent, document and answer; satisfaction and escalations are measured as they were"
    )
    settings: tuple[Parameter, ...] = (
        AT,
        _RATIO(name="intents", doc="the least share of messages whose intent is the one that a person gave them", default=0.9),
        _RATIO(name="relevance", doc="the least share of knowledge questions whose own document comes first", default=0.8),
        _RATIO(name="satisfaction", doc="the least share of messages that are answered rightly and in time", default=0.8),
        _RATIO(name="unescalated", doc="the least share kept from a person of those who asked for none", default=0.9),
        Parameter(name="within", type=str, doc="what is in time: a duration", default="5s"),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the documents, questions and readings. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        parse_duration_ns(values["within"])
        asks_ns = 2 * S + len(GOLDEN) * EVERY_NS
        t = start_of(values, phase, lasts_ns=asks_ns + TOLD_AFTER_NS + S)
        tenant, librarian = f"readers-{check.id}", f"archivist-{check.id}"
        readers = [f"reader-{check.id}-{n}" for n in range(-(-len(GOLDEN) // EACH_USER))]
        read = partial(reading_of_metrics, check, lane=f"{check.id}-metrics")
        ended_ns = t + asks_ns + TOLD_AFTER_NS
        act = partial(Action, check_id=check.id, lane=f"{check.id}-act")
        return CheckSteps(
            probes=(
                read(name="first", at_ns=t),
                *(
                    Probe(
                        check_id=check.id,
                        name=f"golden-{n}",
                        at_ns=t + 2 * S + n * EVERY_NS,
                        principal=readers[n // EACH_USER],
                        body=chat(golden.text),
                        lane=f"{check.id}-{n % LANES}",
                        after=_last_document(),
                        after_ns=S // 2,
                    )
                    for n, golden in enumerate(GOLDEN)
                ),
                read(name="last", at_ns=ended_ns, after="recorded"),
            ),
            actions=(
                act(name="recorded-before", at_ns=t, does="tell-recorded", principal=readers[0]),
                *(
                    act(
                        name=f"put-{name}",
                        at_ns=t,
                        does="update-knowledge",
                        principal=librarian,
                        arguments={"id": name, "title": title, "body": body},
                    )
                    for name, (title, body) in DOCUMENTS.items()
                ),
                act(name="recorded", at_ns=ended_ns, does="tell-recorded", principal=readers[0]),
            ),
            principals=(
                MadePrincipal(name=librarian, tenant=tenant, role="admin"),
                *(MadePrincipal(name=reader, tenant=tenant) for reader in readers),
            ),
            needs=frozenset({"metrics", "logs", "feedback"}),
        )


def _last_document() -> str:
    return f"put-{[*DOCUMENTS][-1]}"


PLANNER = QualityPlanner()
