"""Names do not resolve in the container: its resolver asks where nobody answers. What is connected already stays so."""

from harness.model.fault_kinds.container import container

KIND = container("no_names", "Names do not resolve")
