"""A stream that ends without saying so."""

from harness.provider.faults.base import ProviderFault
from harness.provider.script import Mark, Place, Script


class MissingDone(ProviderFault):
    """Leaves out `[DONE]`; all else of the stream is in order. Answers that are not streamed are not touched."""

    def edit_script(self, script: Script) -> None:
        """Put a mark where `[DONE]` stood."""
        index = script.index_of(Place.DONE)
        if index is not None:
            script.parts[index] = Mark(fault=self)
