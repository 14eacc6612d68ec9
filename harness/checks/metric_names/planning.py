"""What the metric names check does: it has the rules told that record key figures, and brings about what some figures count.

A user asks about a document of theirs, rates an answer and wants a person: without, relevance, satisfaction and escalations
have nothing to tell of. Each instance is asked about the document.
"""

import json
import re
from functools import partial

from harness.checks.alerts.planning import named
from harness.checks.planned import AT, S, chat, start_of
from harness.checks.retrieval.planning import QUESTION, document_of
from harness.checks.settings import complete
from harness.model.check import CheckSteps
from harness.model.fault import Parameter
from harness.model.plan import Phase, PlannedCheck
from harness.model.probe import EVERY_INSTANCE, Action, MadePrincipal, Probe

EXPOSED = "http_request_duration_seconds{method,route,status_code} llm_tokens_total{model,intent}"
KEY_FIGURES = (
    "uptime_percentage, error_rate, response_latency_p50, response_latency_p95, response_latency_p99, llm_api_latency, "
    "vector_search_latency, queries_per_day, unique_users_per_day, user_satisfaction_score, llm_tokens_used_daily, "
    "estimated_cost_daily, cost_per_query, intent_detection_accuracy, rag_retrieval_relevance, escalation_rate"
)
"""The document's own list."""
_METRIC = re.compile(r"([A-Za-z_:][A-Za-z0-9_:]*)(?:\{([A-Za-z0-9_, ]*)\})?")


class MetricNamesPlanner:
    """The planning half of the check."""

    name: str = "metric names"
    title: str = "Metrics have their names and labels, and each key figure is recorded under its name and has a number"
    settings: tuple[Parameter, ...] = (
        AT,
        Parameter(
            name="exposed", type=str, doc="metrics with their labels, parted by blanks: `NAME{LABEL,LABEL}`", default=EXPOSED
        ),
        Parameter(name="recorded", type=str, doc="what the service's rules record, parted by commas", default=KEY_FIGURES),
    )

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the probes and both actions. Raises ValueError on a setting out of range, or a phase too short."""
        values = complete(self.settings, check.settings)
        exposed_in(values["exposed"])
        # What is counted after the last scrape but one has no rate yet: a scrape is every five seconds.
        t = start_of(values, phase, lasts_ns=20 * S)
        librarian, reader, tenant = f"librarian-{check.id}", f"reader-{check.id}", f"library-{check.id}"
        act = partial(Action, check_id=check.id, at_ns=t)
        ask = partial(Probe, check_id=check.id, at_ns=t, principal=reader)
        return CheckSteps(
            probes=(
                ask(name="rated", path="/feedback", body=json.dumps({"score": 5, "request_id": "r"}), chat=False),
                ask(name="escalated", body=chat("I want to speak to a real person, please.")),
                ask(
                    name="retrieved",
                    at_ns=t + 4 * S,
                    body=chat(f"{QUESTION} (for {check.id})"),
                    instance=EVERY_INSTANCE,
                    after="put-document",
                    after_ns=S,
                ),
            ),
            actions=(
                act(name="rules", does="tell-alert-rules"),
                act(
                    name="put-document",
                    does="update-knowledge",
                    principal=librarian,
                    arguments=document_of(check),
                    lane=f"{check.id}-put",
                ),
            ),
            principals=(MadePrincipal(name=librarian, tenant=tenant, role="admin"), MadePrincipal(name=reader, tenant=tenant)),
            needs=frozenset({"metrics", "feedback"}),
        )


PLANNER = MetricNamesPlanner()


def exposed_in(value: object) -> dict[str, frozenset[str]]:
    """Return each metric of a setting with its labels. Raises ValueError."""
    found: dict[str, frozenset[str]] = {}
    rest = _METRIC.sub(lambda match: _put(found, match[1], match[2] or ""), str(value))
    if rest.strip() or not found:
        raise ValueError(f"`exposed` is {value!r}; write metrics parted by blanks, as NAME{{LABEL,LABEL}}")
    return found


def _put(found: dict[str, frozenset[str]], name: str, labels: str) -> str:
    found[name] = frozenset(named(labels))
    return ""
