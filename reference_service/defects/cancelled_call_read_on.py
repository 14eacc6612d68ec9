"""Planted defect: when a client leaves, the provider's answer is read and paid for to its end."""

import asyncio
from dataclasses import replace

from reference_service.parts import Parts
from reference_service.provider.call import ProviderCall
from reference_service.provider.endpoint import Endpoint


class StubbornCall(ProviderCall):
    """Does not let go."""

    def close(self) -> None:
        """Read the rest behind the user's back."""
        response, self._response = self._response, None
        if response is not None:
            self._reading = asyncio.ensure_future(response.read())


class StubbornEndpoint(Endpoint):
    """Makes stubborn calls."""

    calls = StubbornCall


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=StubbornEndpoint)
