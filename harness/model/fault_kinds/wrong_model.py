"""An answer by somebody else.

Names another model in the answer than the one that was asked; billed as the one that was asked.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "wrong_model",
    "An answer by somebody else",
    Parameter(name="model", type=str, doc="the name in the answer", default="sim-unasked"),
)
