"""Who was refused and who changed something: an entry in the audit log for each, whatever its outcome."""

from reference_service.audit import Audit
from reference_service.turn import Turn

REFUSALS = frozenset(
    {"authentication_error", "permission_error", "content_blocked", "rate_limit_exceeded", "budget_exceeded", "guard_unavailable"}
)


class AuditGuard:
    """Notes security-relevant requests: every refusal by a guard, every escalation, every administrator's action."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def __call__(self, turn: Turn) -> None:
        """Never fails and never waits."""
        if not self.is_relevant(turn):
            return
        who = turn.identity
        self._audit.note(
            request_id=turn.request_id,
            actor="unknown" if who is None else who.name,
            tenant="" if who is None else who.tenant,
            action=turn.action,
            outcome=turn.error or "done",
            detail=turn.reason or "",
        )

    def is_relevant(self, turn: Turn) -> bool:
        """Return whether the audit log wants to know."""
        return turn.error in REFUSALS or turn.action not in ("ask", "message", "message.read", "feedback")
