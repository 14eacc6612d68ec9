"""Another version is started beside the present one and gets a share of the requests until the fault clears."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.deploy import DEFECT, VERSION, deploy

KIND = deploy(
    "canary",
    "A share of the requests goes to another version",
    Parameter(name="share", type=float, doc="of the requests, drawn for each", low=0.01, high=1, default=0.05),
    VERSION,
    DEFECT,
)
