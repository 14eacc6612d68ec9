"""Where a target's owners want to be told of a run."""

import enum
from dataclasses import dataclass


class ChannelKind(enum.Enum):
    """What listens at the other end."""

    WEBHOOK = "webhook"
    GRAFANA = "grafana"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One listener. name: how it is called where people read (`notify[0]`); url and token are secrets and never shown."""

    name: str
    kind: ChannelKind
    url: str
    token: str | None = None

    def __repr__(self) -> str:
        """Return the name alone: the address of a webhook is its password."""
        return f"Channel({self.name})"
