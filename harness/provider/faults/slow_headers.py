"""A status line and headers that take their time."""

from harness.model.fault import Parameter
from harness.provider.faults.base import ProviderFault
from harness.provider.script import Hold, Part, Piece, Place, Script

PIECES = 10


class SlowHeaders(ProviderFault):
    """Sends nothing for a while, or (trickle) the head in ten pieces over that while, which defeats read timeouts."""

    PARAMETERS = (
        Parameter(name="delay_ms", type=float, unit="ms", doc="until the head is out", low=1, high=3_600_000, default=5_000),
        Parameter(name="trickle", type=bool, doc="send the head in ten pieces over that time", default=False),
    )

    def edit_script(self, script: Script) -> None:
        """Hold before the head, or between its pieces."""
        delay_ns = self.delay_ns("delay_ms")
        found = script.separate_head() if self.flag("trickle") else None
        if found is None:
            script.parts.insert(0, Hold(fault=self, for_ns=delay_ns))
            return
        index, data = found
        parts: list[Part] = []
        for number in range(PIECES):
            piece = data[len(data) * number // PIECES : len(data) * (number + 1) // PIECES]
            parts += [Hold(fault=self, for_ns=delay_ns // PIECES), Piece(place=Place.HEAD, data=piece)]
        script.parts[index : index + 1] = parts
