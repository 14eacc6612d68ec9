"""How a call of a provider can fail, and what follows from each kind."""

import enum


class Kind(enum.Enum):
    """What went wrong, as far as the gateway can tell."""

    CONNECT = "connect"  # never reached it
    LOST = "lost"  # the connection broke after the request was sent
    TIMEOUT = "timeout"  # no content in time, or silence in the middle
    STATUS = "status"  # an error status
    INVALID = "invalid"  # a 200 that is not an answer


class ProviderFailure(Exception):  # noqa: N818 - a state, read by the guard that decides what follows
    """One call failed. status: of an error answer. retry_after_s: as the provider asked. seen: completion tokens that arrived."""

    def __init__(self, kind: Kind, *, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(kind.value if status is None else f"{kind.value} {status}")
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def is_ours(self) -> bool:
        """Return whether the request itself was refused: another endpoint would refuse it too."""
        return self.status in (400, 422)

    @property
    def is_transient(self) -> bool:
        """Return whether the same endpoint may be asked again at once, within the retry budget."""
        if self.kind is Kind.STATUS:
            return self.status in (408, 429, 500, 502, 503, 504)
        return self.kind in (Kind.CONNECT, Kind.LOST)

    @property
    def may_have_billed(self) -> bool:
        """Return whether the provider may have worked on it, so that the reservation is kept."""
        return self.kind in (Kind.LOST, Kind.TIMEOUT, Kind.INVALID)
