"""Planted defect: a frozen Valkey holds every user for seconds."""

from dataclasses import replace

from reference_service.breaker import Breaker
from reference_service.parts import Parts
from reference_service.store import Store


class PatientStore(Store):
    """Waits as long as the driver does, which gives up after five seconds."""

    def __init__(self, url: str, *, timeout_s: float, breaker: Breaker, connections: int = 16) -> None:
        super().__init__(url, timeout_s=max(timeout_s, 30.0), breaker=breaker, connections=connections)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, store=PatientStore)
