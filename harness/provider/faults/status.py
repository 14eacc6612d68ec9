"""An error status in place of an answer."""

import email.utils
import time

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Refusal
from harness.provider.faults.base import ProviderFault

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded", 503: "overloaded", 529: "overloaded"}


class Status(ProviderFault):
    """Answers with an error status, with or without Retry-After; nothing is generated or billed."""

    PARAMETERS = (
        Parameter(name="code", type=int, doc="the status", low=400, high=599, default=503),
        Parameter(
            name="retry_after",
            type=str,
            doc="the Retry-After header, word for word: `2`, `soon`, `-1`, `99999999999`; `date+N` is the date N seconds ahead",
        ),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Refuse."""
        code = self.integer("code")
        fallback = "server_error" if code >= 500 else "invalid_request_error"
        draft.refusal = Refusal(
            fault=self,
            status_code=code,
            message=f"simulated error {code}",
            error_type=_TYPES.get(code, fallback),
            code=_CODES.get(code),
            headers=self._retry_after(),
        )

    def _retry_after(self) -> tuple[tuple[str, str], ...]:
        if "retry_after" not in self.spec.parameters:
            return ()
        value = self.text("retry_after")
        if value.startswith("date+") and value[5:].isdecimal() and len(value) < 15:
            value = email.utils.formatdate(time.time() + int(value[5:]), usegmt=True)
        return (("retry-after", value),)
