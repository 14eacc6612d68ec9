"""An answer under a false name.

Sends a whole and right answer with another content type.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "wrong_content_type",
    "An answer under a false name",
    Parameter(name="content_type", type=str, doc="the header's value", default="text/html; charset=utf-8"),
)
