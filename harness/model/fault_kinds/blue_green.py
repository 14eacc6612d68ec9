"""Another version is started beside the present one and gets every request; when the fault clears, they go back."""

from harness.model.fault_kinds.deploy import DEFECT, VERSION, deploy

KIND = deploy("blue_green", "All requests are switched to another version, and back", VERSION, DEFECT)
