"""The container is taken off its networks: what it sends goes nowhere, and nobody finds it by its name."""

from harness.model.fault_kinds.container import container

KIND = container("disconnect", "A container loses its network")
