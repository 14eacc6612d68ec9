"""A provider that is not there."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Refusal
from harness.provider.faults.base import ProviderFault


class Outage(ProviderFault):
    """Closes the connection before any byte of an answer; all other routes of the endpoint are dark too. Nothing is billed."""

    PARAMETERS = (Parameter(name="how", type=str, doc="with FIN or with RST", choices=("clean", "rst"), default="rst"),)

    def edit_draft(self, draft: Draft) -> None:
        """Hang up."""
        draft.refusal = Refusal(fault=self, status_code=None, abruptly=self.text("how") == "rst")
