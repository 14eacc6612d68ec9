"""What the service's operators do by its database, its interface and its code, and by nothing else of a stack."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from harness.errors import FaultError, StackError
from harness.faults.database_connection import connect, do_once
from harness.model.probe import Action, ActionDone
from harness.target.operating import observability
from harness.target.operating.balancing import PROGRAM as BALANCING
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.promoting import promote_standby
from harness.target.secrets_in_code import code_of, scanned, told_of

SERVICE_PACKAGE = "reference_service"

FOR_PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "tell-alert-rules": "promtool",
        "tell-alert-routing": "amtool",
        "tell-dashboards": "promtool",
    }
)
"""Actions of which the judges make something by a program only."""

PACKAGES: Mapping[str, str] = MappingProxyType({"promtool": "prometheus", "amtool": "prometheus-alertmanager"})
"""The package that each of these programs comes in."""

_COUNTED_WITHIN_S = 5.0
_COUNTED = """SELECT application_name, count(*),
    max(extract(epoch FROM clock_timestamp() - state_change)) FILTER (WHERE state = 'idle')::float8
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY application_name"""

RECORDED_TOLD = ("escalations", "scores", "score_sum", "day_scores", "day_good_scores")
RECORDED = """WITH mine AS (SELECT id FROM account WHERE name = $1),
today AS (SELECT score FROM feedback WHERE (created_at AT TIME ZONE 'utc')::date = (now() AT TIME ZONE 'utc')::date)
SELECT (SELECT count(*) FROM escalation WHERE account_id IN (SELECT id FROM mine)),
       (SELECT count(*) FROM feedback WHERE account_id IN (SELECT id FROM mine)),
       (SELECT coalesce(sum(score), 0) FROM feedback WHERE account_id IN (SELECT id FROM mine)),
       (SELECT count(*) FROM today), (SELECT count(*) FROM today WHERE score >= 4)"""


class Operators:
    """Each action a method. keys: user to API key, secret. base_url: where load goes.

    names: user to the name in the service's database, where that is another.
    """

    def __init__(
        self,
        programs: OperatorPrograms,
        *,
        keys: Mapping[str, str],
        base_url: str,
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._programs = programs
        self._keys = keys
        self._names = names
        self._base_url = base_url
        self.does: Mapping[str, Callable[[Action], ActionDone]] = {
            "rotate-key": self._rotate_key,
            "revoke-key": self._revoke_key,
            "update-knowledge": self._update_knowledge,
            "count-connections": self._count_connections,
            "tell-recorded": self._tell_recorded,
            "ask-balancer": self._ask_balancer,
            "promote-standby": lambda action: promote_standby(programs, look=lambda: self._count_connections(action)),
            "scan-for-secrets": lambda _: ActionDone(told=told_of(scanned(code_of(SERVICE_PACKAGE)))),
            "tell-key-ages": lambda _: ActionDone(told=_ages(programs.run("reference_service.keys", "list").get("keys"))),
            "tell-alert-rules": lambda _: ActionDone(told=observability.alert_rules()),
            "tell-alert-routing": lambda _: ActionDone(told=observability.alert_routing()),
            "tell-dashboards": lambda _: ActionDone(told=observability.panels()),
        }
        """By the names that checks call them by."""

    def _rotate_key(self, action: Action) -> ActionDone:
        overlap_s = float(action.arguments.get("overlap_s", "5"))
        said = self._programs.run("reference_service.keys", "rotate", self._named(action), "--overlap", repr(overlap_s / 3600))
        key = said.get("key")
        if not isinstance(key, str) or not key:
            raise StackError("the rotation printed no key")
        return ActionDone(told={"old_keys": _number(said.get("old_keys")), "overlap_s": overlap_s}, new_key=key)

    def _revoke_key(self, action: Action) -> ActionDone:
        said = self._programs.run("reference_service.keys", "revoke", self._named(action))
        return ActionDone(told={"keys": _number(said.get("keys"))})

    def _named(self, action: Action) -> str:
        whom = _whom(action)
        return self._names.get(whom, whom)

    def _update_knowledge(self, action: Action) -> ActionDone:
        from harness.target.external.caller import Caller  # its package needs this one

        key = self._keys.get(_whom(action), "")
        document = {name: action.arguments[name] for name in ("id", "title", "body")}
        answer = Caller(self._base_url).post("/admin/knowledge", document, headers={"Authorization": f"Bearer {key}"})
        if not 200 <= answer.status < 300:
            raise StackError(f"the knowledge base refused the document with {answer.status}: {answer.body[:200]!r}")
        return ActionDone(told={"status": answer.status})

    def _ask_balancer(self, _: Action) -> ActionDone:
        said = self._programs.run(BALANCING, str(self._programs.directory()))
        return ActionDone(told={name: value for name, value in said.items() if value is None or isinstance(value, str | int)})

    def _count_connections(self, _: Action) -> ActionDone:
        """Count what each of its users has open at the database, by what they call themselves: `instance_a`.

        `idle_s_a` is for how long the one of them has lain idle that nobody has used for longest.
        """
        rows = self._rows(_COUNTED, what="counting connections")
        told: dict[str, int | float] = {f"instance_{name}": number for name, number, _ in rows if name}
        told |= {f"idle_s_{name}": idle_s for name, _, idle_s in rows if name and idle_s is not None}
        return ActionDone(told=told)

    def _tell_recorded(self, action: Action) -> ActionDone:
        """Count what stands in the database of a user's wishes for a person and scores, and of everybody's scores today."""
        ((*numbers,),) = self._rows(RECORDED, self._named(action), what="counting what was recorded")
        return ActionDone(told=dict(zip(RECORDED_TOLD, numbers, strict=True)))

    def _rows(self, statement: str, *values: object, what: str) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, straight from the database. Raises StackError."""
        parts = urlsplit(self._programs.database_url)

        async def read() -> list[tuple[Any, ...]]:
            address, database = f"{parts.hostname}:{parts.port}", parts.path.lstrip("/")
            connection = await connect(address, parts.username or "", database, parts.password)
            try:
                return [tuple(row) for row in await connection.fetch(statement, *values)]
            finally:
                await connection.close()

        try:
            return do_once(read(), within_s=_COUNTED_WITHIN_S, what=what)
        except FaultError as error:
            raise StackError(error.message) from error


def _ages(keys: object) -> dict[str, str | int | float | bool | None]:
    """Return how many keys work and how old the oldest is, in days; no name and no hint of a key."""
    rows = keys if isinstance(keys, list) else []
    ages = [row["age_days"] for row in rows if isinstance(row, dict) and isinstance(row.get("age_days"), int | float)]
    return {"keys": len(ages), "oldest_days": max(ages, default=None)}


def _whom(action: Action) -> str:
    if action.principal is None:
        raise StackError(f"{action.does} must say for whom")
    return action.principal


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
