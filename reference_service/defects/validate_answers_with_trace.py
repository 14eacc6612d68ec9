"""Planted defect: a wrong request is answered with a stack trace."""

import traceback
from dataclasses import replace

from reference_service.errors import InvalidRequest
from reference_service.guards.validate import Validate
from reference_service.parts import Parts
from reference_service.turn import Turn


class TracingValidate(Validate):
    """Explains too much."""

    async def __call__(self, turn: Turn) -> None:
        """Put the trace into the message."""
        try:
            await super().__call__(turn)
        except InvalidRequest as error:
            raise InvalidRequest(traceback.format_exc(), code=error.code, param=error.param, status=error.status) from error


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, validate=TracingValidate)
