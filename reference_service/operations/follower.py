"""A database that follows another: how far behind it is, and its promotion when the other one is dead."""

from reference_service.operations.postgres import PostgresError, run

_FOLLOWS = "select pg_is_in_recovery()"
_WRITTEN = "select pg_current_wal_lsn()"
_APPLIED = (
    "select coalesce(pg_wal_lsn_diff('{written}', pg_last_wal_replay_lsn()), 0)::bigint, "
    "exists (select 1 from pg_stat_wal_receiver where status = 'streaming')"
)
_LEFT = "select coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0)::bigint"
_LAST = "select coalesce(pg_last_xact_replay_timestamp()::text, '')"
_PROMOTE = "select pg_promote(true, 30)"


class Follower:
    """A standby at one URL, and the primary that it follows at another."""

    def __init__(self, primary_url: str, standby_url: str) -> None:
        self._primary = primary_url
        self._standby = standby_url

    def state(self) -> dict[str, object]:
        """Return whether it follows, and how many bytes it is behind. Raises PostgresError where either does not answer."""
        if self._ask(self._standby, _FOLLOWS) != "t":
            return {"following": False, "behind_bytes": None, "role": "primary"}
        written = self._ask(self._primary, _WRITTEN)
        behind, streaming = self._ask(self._standby, _APPLIED.format(written=written)).split("|")
        return {"following": streaming == "t", "behind_bytes": max(0, int(behind)), "role": "standby"}

    def promote(self) -> dict[str, object]:
        """Make the standby the database; return up to when it has everything. Raises PostgresError, changing nothing.

        Refused while the primary answers: two databases that both take settlements would both be wrong.
        """
        if self._ask(self._standby, _FOLLOWS) != "t":
            raise PostgresError("this server follows nobody: it has been promoted already, or is the primary itself")
        if self.primary_answers():
            raise PostgresError("the primary still answers; stop it first, or two databases will take what is spent")
        last, left = self._ask(self._standby, _LAST), int(self._ask(self._standby, _LEFT))
        if self._ask(self._standby, _PROMOTE) != "t":
            raise PostgresError("the standby was not promoted within 30 s; its log says why")
        return {"event": "promoted", "has_everything_until": last or None, "applied_at_promotion_bytes": left}

    def primary_answers(self) -> bool:
        """Return whether the primary takes connections."""
        try:
            self._ask(self._primary, "select 1")
        except PostgresError:
            return False
        return True

    def _ask(self, url: str, statement: str) -> str:
        return run(["psql", "-X", "-A", "-t", "-c", statement], url, keep=True, within_s=40).strip()
