"""Planted defect: with PostgreSQL down, users are told that their keys are wrong."""

from dataclasses import replace

from reference_service.errors import GuardUnavailable, Unauthenticated
from reference_service.guards.authenticate import Authenticate
from reference_service.parts import Parts
from reference_service.turn import Turn


class BlamingAuthenticate(Authenticate):
    """Takes a fault of ours for one of the user's."""

    async def __call__(self, turn: Turn) -> None:
        """Answer 401 for whatever goes wrong."""
        try:
            await super().__call__(turn)
        except GuardUnavailable as error:
            raise Unauthenticated("This key is not valid.", code="invalid_api_key") from error


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, authenticate=BlamingAuthenticate)
