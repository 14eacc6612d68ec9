"""Planted defect: the cap on tokens is reckoned with but not sent to the provider."""

from dataclasses import replace

import msgspec

from reference_service.parts import Parts
from reference_service.provider.endpoint import Endpoint
from reference_service.turn import Turn


class UncappedEndpoint(Endpoint):
    """Trusts the model to be brief."""

    def body(self, turn: Turn, model: str) -> bytes:
        """Leave max_tokens out."""
        fields: dict[str, object] = msgspec.json.decode(super().body(turn, model))
        del fields["max_tokens"]
        return msgspec.json.encode(fields)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=UncappedEndpoint)
