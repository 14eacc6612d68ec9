"""An answer that stops in the middle and leaves the connection open."""

from harness.model.fault import Parameter
from harness.provider.faults.base import ProviderFault
from harness.provider.script import Hold, Script


class Stall(ProviderFault):
    """Holds an answer after some content; it goes on when the fault is removed, or after `for_ms`.

    An answer that is not streamed stalls in the middle of its body. One with less content than `after_chunks` is not touched.
    """

    PARAMETERS = (
        Parameter(
            name="after_chunks", type=int, unit="chunks", doc="content chunks before the stall", low=0, high=100_000, default=0
        ),
        Parameter(
            name="for_ms", type=float, unit="ms", doc="how long; left out, until the fault is removed", low=1, high=3_600_000
        ),
    )

    def edit_script(self, script: Script) -> None:
        """Put a hold behind the content."""
        index = script.after_content(self.integer("after_chunks"))
        if index is not None:
            for_ns = self.delay_ns("for_ms") if "for_ms" in self.spec.parameters else None
            script.parts.insert(index, Hold(fault=self, for_ns=for_ns))
