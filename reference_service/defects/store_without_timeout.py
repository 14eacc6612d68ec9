"""Planted defect: a frozen Valkey holds every user."""

from dataclasses import replace

from reference_service.breaker import Breaker
from reference_service.parts import Parts
from reference_service.store import Store


class PatientStore(Store):
    """Waits half a minute."""

    def __init__(self, url: str, *, timeout_s: float, breaker: Breaker, connections: int = 16) -> None:
        super().__init__(url, timeout_s=max(timeout_s, 30.0), breaker=breaker, connections=connections)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, store=PatientStore)
