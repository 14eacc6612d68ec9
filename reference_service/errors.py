"""Everything that the service answers instead of an answer, each with its status and its type.

Refusal                     what a client gets, OpenAI-shaped, never with upstream text
├── InvalidRequest    400   the request itself is wrong (404 unknown model, 408 slow body, 413 too large)
├── Unauthenticated   401   no key, a wrong key, a revoked key
├── Forbidden         403   a right key without the right
├── BudgetExceeded    402   a daily budget would be overspent
├── ContentBlocked    400   a guardrail's rule matched
├── RateLimited       429   too many requests in the window
├── GuardUnavailable  503   a guard's store is down and the guard fails closed
└── UpstreamFailed    502   no provider answered (504 on timeout, 503 while circuits are open)

StoreUnavailable            Valkey or PostgreSQL did not answer within its bound (internal)
ProviderFailure             one call of one endpoint failed (internal; `provider/failure.py`)
"""

from collections.abc import Mapping


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """An answer that is an error. headers: extra ones, such as Retry-After; details: extra members of `error`."""

    status = 500
    type = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.type
        self.param = param
        self.status = status if status is not None else type(self).status
        self.headers = dict(headers or {})
        self.details = dict(details or {})

    def body(self) -> dict[str, object]:
        """Return the OpenAI-shaped error body."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code, **self.details}}


class InvalidRequest(Refusal):
    """The request itself is wrong; sending it again changes nothing."""

    status = 400
    type = "invalid_request_error"


class Unauthenticated(Refusal):
    """No key, a wrong key or a revoked one. Never for an infrastructure fault."""

    status = 401
    type = "authentication_error"


class Forbidden(Refusal):
    """A right key without the right to do this."""

    status = 403
    type = "permission_error"


class BudgetExceeded(Refusal):
    """The reservation does not fit in a daily budget."""

    status = 402
    type = "budget_exceeded"


class ContentBlocked(Refusal):
    """A guardrail's rule matched; `rule` in the body names it."""

    status = 400
    type = "content_blocked"


class RateLimited(Refusal):
    """Too many requests in this window."""

    status = 429
    type = "rate_limit_exceeded"


class GuardUnavailable(Refusal):
    """A guard cannot look at its store, so it fails closed."""

    status = 503
    type = "guard_unavailable"

    def __init__(self, guard: str) -> None:
        super().__init__(
            "A guard of this service is unavailable; try again shortly.", headers={"retry-after": "1"}, details={"guard": guard}
        )


class UpstreamFailed(Refusal):
    """No provider gave an answer and no degraded one was allowed."""

    status = 502
    type = "upstream_error"


class StoreUnavailable(Exception):  # noqa: N818 - a state, named as the code that catches it reads
    """A store did not answer within its bound, refused the connection, or its breaker is open. store: `postgres` or `store`."""

    def __init__(self, store: str, why: str) -> None:
        super().__init__(f"{store}: {why}")
        self.store = store
        self.why = why


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable and what to do."""
