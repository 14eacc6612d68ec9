"""noop: changes nothing; for trying out clients."""

from typing import ClassVar

from harness.faultproxy.toxics.stage import Stage


class Noop(Stage):
    """Passes everything on as it came."""

    TYPE: ClassVar[str] = "noop"
    __slots__ = ()
