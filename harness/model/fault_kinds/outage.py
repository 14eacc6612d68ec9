"""A provider that is not there.

Closes the connection before any byte of an answer; all other routes of the endpoint are dark too. Nothing is billed.
"""

from harness.model.fault import Parameter
from harness.model.fault_kinds.provider import provider

KIND = provider(
    "outage",
    "A provider that is not there",
    Parameter(name="how", type=str, doc="with FIN or with RST", default="rst", choices=("clean", "rst")),
)
