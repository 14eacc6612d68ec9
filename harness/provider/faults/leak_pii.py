"""An answer that gives away personal data. All of it is made up, from ranges reserved for that."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft
from harness.provider.faults.base import ProviderFault
from harness.provider.faults.planting import plant

_TEXTS = {
    "email": "Write to jane.roe@example.com for this. ",
    "phone": "Her number is +1 202-555-0143. ",
    "ssn": "His SSN is 078-05-1120. ",
    "card": "The card on file is 4111 1111 1111 1111. ",
    "iban": "Pay to DE89 3704 0044 0532 0130 00. ",
    "secret": "Use the key sk-test-51H8xExampleExampleExample0000. ",
}


class LeakPii(ProviderFault):
    """Plants personal data in the answer, by default spread over several chunks, as a tokenizer would."""

    PARAMETERS = (
        Parameter(name="what", type=str, doc="which data", choices=(*_TEXTS, "all"), default="email"),
        Parameter(name="after_chunks", type=int, unit="chunks", doc="where", low=0, high=100_000, default=2),
        Parameter(name="split", type=bool, doc="over several chunks", default=True),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Plant it."""
        what = self.text("what")
        text = "".join(_TEXTS.values()) if what == "all" else _TEXTS[what]
        plant(draft, self, text, after_chunks=self.integer("after_chunks"), split=self.flag("split"))
