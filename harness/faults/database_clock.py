"""What a PostgreSQL takes for now, moved by its own means: a function `now()` that its sessions find before the built-in one.

`CURRENT_DATE`, `clock_timestamp()` and the defaults of columns are bound to the built-in clock and stay true: what a
service asks by `now()` moves, which is where days begin, keys expire and leases end.
"""

from typing import Any

from harness.errors import FaultError
from harness.faults.database_session import DatabaseSession
from harness.faults.guardian.undo import DatabaseStep
from harness.model.target import Dependency

_SCHEMA = "harness_clock"
_BACK = (
    "ALTER SYSTEM RESET search_path",
    "SELECT pg_reload_conf()",
    f"DROP FUNCTION IF EXISTS {_SCHEMA}.now()",
    f"DROP SCHEMA IF EXISTS {_SCHEMA}",
)


class DatabaseClock:
    """The clock of one database. Every method raises FaultError."""

    def __init__(self, dependency: Dependency) -> None:
        self._session = DatabaseSession(dependency)
        self._what = f"the clock of the database at {dependency.address}"

    def undo_steps(self, fault_id: str) -> tuple[DatabaseStep, ...]:
        """Return what brings the true time back."""
        source = self._do(self._session.ask("SELECT source FROM pg_settings WHERE name = 'search_path'"))
        if source != "default":
            raise FaultError(f"{fault_id}: the database has a search_path of its own (from: {source}), which would be lost")
        return (self._session.undo_step(_BACK),)

    def move(self, offset_s: int) -> None:
        """Let sessions take the moment so many seconds from now for now, those that are open too."""
        self._do(
            self._session.execute(
                f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}",
                f"CREATE OR REPLACE FUNCTION {_SCHEMA}.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE"
                f" AS $$ SELECT pg_catalog.now() + interval '{int(offset_s)} seconds' $$",
                f"GRANT USAGE ON SCHEMA {_SCHEMA} TO PUBLIC",
                # Asked before the built-in functions; behind public, or new tables would land in it.
                f'ALTER SYSTEM SET search_path = "$user", public, {_SCHEMA}, pg_catalog',
                "SELECT pg_reload_conf()",
            )
        )

    def move_back(self) -> None:
        """Let them take now for now."""
        self._do(self._session.execute(*_BACK))

    def offset_s(self) -> float:
        """Return how far a new session's now is from the machine's."""
        return float(self._do(self._session.ask("SELECT extract(epoch FROM now() - clock_timestamp())::float8")))

    def _do(self, work: Any) -> Any:
        return self._session.do(work, within_s=5.0, what=self._what)
