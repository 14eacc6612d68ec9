"""Planted defect: a client is shown the provider's own error text."""

from collections.abc import Mapping
from dataclasses import replace

from reference_service.errors import InvalidRequest
from reference_service.parts import Parts
from reference_service.provider.call import ProviderCall
from reference_service.provider.endpoint import Endpoint


class ChattyCall(ProviderCall):
    """Passes on what it was told."""

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        async with self._session.post(url, data=body, headers=headers) as response:
            if response.status != 200:
                raise InvalidRequest(f"upstream said: {await response.text()}", code="upstream_rejected")
        await super()._post(url, headers, body)


class ChattyEndpoint(Endpoint):
    """Makes chatty calls."""

    calls = ChattyCall


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=ChattyEndpoint)
