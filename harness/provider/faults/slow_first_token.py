"""A model that thinks for too long."""

from harness.model.fault import Parameter
from harness.provider.faults.base import ProviderFault
from harness.provider.script import Hold, Script


class SlowFirstToken(ProviderFault):
    """Delays the first token: a stream has its headers in time, an answer that is not streamed comes later as a whole."""

    PARAMETERS = (Parameter(name="delay_ms", type=float, unit="ms", doc="added", low=1, high=3_600_000, default=5_000),)

    def edit_script(self, script: Script) -> None:
        """Hold before the first content."""
        index = script.before_content()
        if index is not None:
            script.parts.insert(index, Hold(fault=self, for_ns=self.delay_ns("delay_ms")))
