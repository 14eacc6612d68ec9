"""An answer that tries to take over whoever reads it.

Plants an injection in the answer: for a model, a browser or a terminal behind the service.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "inject",
    "An answer that tries to take over whoever reads it",
    Parameter(
        name="what",
        type=str,
        doc="which",
        default="instruction",
        choices=("instruction", "markdown_image", "html", "role", "control"),
    ),
    Parameter(name="after_chunks", type=int, doc="where", unit="chunks", low=0, high=100_000, default=2),
    Parameter(name="split", type=bool, doc="over several chunks", default=True),
)
