"""The figures of the day that no single process can count: read from PostgreSQL, so that they are the same on every instance."""

import json
from importlib.resources import files

from reference_service.database import Database
from reference_service.metrics import Metrics
from reference_service.pricing import usd
from reference_service.settings import Settings
from reference_service.workflow import Workflows

_TODAY = """
with today as (select (now() at time zone 'utc')::date as day)
select
    coalesce((select spent_nanousd from budget where scope = 'service' and day = t.day), 0)::bigint as spent_nanousd,
    coalesce((select sum(spent_nanousd) from budget
        where scope = 'service' and day >= date_trunc('month', t.day)::date), 0)::bigint as month_nanousd,
    coalesce((select sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)) from reservation
        where day = t.day and state = 'settled'), 0)::bigint as tokens,
    (select count(*) from budget where scope like 'user:%' and day = t.day) as users,
    (select avg((score >= 4)::int) from feedback where created_at >= t.day::timestamp at time zone 'utc')::float as satisfied
from today t
"""


class DayFigures:
    """Carries the figures into the metrics. satisfied: the share of today's scores that are 4 or 5; none yet: no number."""

    def __init__(self, database: Database, metrics: Metrics, settings: Settings, workflows: Workflows) -> None:
        self._database = database
        self._metrics = metrics
        self._budget_usd = settings.service_budget_usd
        self._accuracy = intent_accuracy(workflows)

    async def refresh(self) -> None:
        """Read them anew. Raises StoreUnavailable; the last figures stay."""
        row = (await self._database.rows(_TODAY))[0]
        self._metrics.day(
            {
                "gateway_day_cost_usd": usd(row["spent_nanousd"]),
                "gateway_month_cost_usd": usd(row["month_nanousd"]),
                "gateway_day_budget_usd": self._budget_usd,
                "gateway_day_tokens": row["tokens"],
                "gateway_day_users": row["users"],
                "gateway_day_satisfied_ratio": row["satisfied"],
                "gateway_intent_accuracy_ratio": self._accuracy,
            }
        )


def intent_accuracy(workflows: Workflows) -> float:
    """Return the share of the golden messages that get the intent that a person gave them."""
    text = (files("reference_service") / "observability" / "golden_intents.json").read_text(encoding="utf-8")
    golden: dict[str, list[str]] = json.loads(text)
    labelled = [(message, intent) for intent, messages in golden.items() for message in messages]
    return sum(workflows.intent_of(message) == intent for message, intent in labelled) / len(labelled)
