"""Planted defect: a stream that falls silent holds its user without end."""

from dataclasses import replace

import aiohttp

from reference_service.parts import Parts
from reference_service.provider.call import CallTimes, ProviderCall
from reference_service.provider.endpoint import Endpoint


class PatientCall(ProviderCall):
    """Waits an hour for the next piece."""

    def __init__(self, session: aiohttp.ClientSession, times: CallTimes, *, max_bytes: int) -> None:
        super().__init__(session, replace(times, idle_s=3600.0), max_bytes=max_bytes)


class SilentEndpoint(Endpoint):
    """Makes patient calls."""

    calls = PatientCall


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, endpoint=SilentEndpoint)
