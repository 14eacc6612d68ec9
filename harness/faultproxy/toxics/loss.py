"""loss: some chunks never arrive. Ours: Toxiproxy has none."""

from typing import ClassVar

from harness.faultproxy.toxics.stage import Data, Stage
from harness.model.fault import Parameter


class Loss(Stage):
    """Drops each chunk (what one read of the socket gave) with probability `share`, drawn from the seed.

    TCP would send a lost packet again; this is the loss that it cannot mend, a hole in the stream.
    """

    TYPE: ClassVar[str] = "loss"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter(name="share", type=float, low=0, high=1, default=0.1, doc="share of the chunks that are dropped"),
    )
    __slots__ = ()

    def feed(self, data: Data) -> None:
        """Pass the chunk on or drop it."""
        if self.rng.random() < self.attributes["share"]:
            self.touch(len(data))
        else:
            self.out_feed(data)
