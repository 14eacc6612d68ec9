"""An answer that gives away personal data. All of it is made up, from ranges reserved for that.

Plants personal data in the answer, by default spread over several chunks, as a tokenizer would.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "leak_pii",
    "An answer that gives away personal data. All of it is made up, from ranges reserved for that",
    Parameter(
        name="what",
        type=str,
        doc="which data",
        default="email",
        choices=("email", "phone", "ssn", "card", "iban", "secret", "all"),
    ),
    Parameter(name="after_chunks", type=int, doc="where", unit="chunks", low=0, high=100_000, default=2),
    Parameter(name="split", type=bool, doc="over several chunks", default=True),
)
