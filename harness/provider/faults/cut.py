"""An answer whose connection ends in the middle."""

from harness.model.fault import Parameter
from harness.provider.faults.base import ProviderFault
from harness.provider.script import Close, Mark, Piece, Place, Script


class Cut(ProviderFault):
    """Closes the connection after some content: with FIN, with RST, or with FIN in the middle of a chunk.

    An answer that is not streamed is cut in the middle of its body. One with less content than `after_chunks` is not touched.
    """

    PARAMETERS = (
        Parameter(
            name="after_chunks", type=int, unit="chunks", doc="content chunks before the cut", low=0, high=100_000, default=5
        ),
        Parameter(name="how", type=str, doc="how it ends", choices=("clean", "rst", "half_chunk"), default="clean"),
    )

    def edit_script(self, script: Script) -> None:
        """Put a close in place of the rest."""
        index = script.after_content(self.integer("after_chunks"))
        if index is None:
            return
        half = script.half_of_next(index)
        del script.parts[index:]
        if self.text("how") == "half_chunk":
            script.parts.append(Piece(place=Place.OTHER, data=half))
        script.parts += [Mark(fault=self), Close(abruptly=self.text("how") == "rst")]
        script.ended = "cut"
