"""Planted defect: messages and questions to people lie in the database as they were written."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.sealing import Sealer


class GlassSealer(Sealer):
    """Puts a seal on and locks nothing."""

    def seal(self, data: bytes, place: str) -> bytes:
        """Return the data itself behind the key's name."""
        name = self.current.encode()
        return bytes([1, len(name)]) + name + bytes(28) + data

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return what stands behind it."""
        return sealed[2 + sealed[1] + 28 :]


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, sealer=GlassSealer)
