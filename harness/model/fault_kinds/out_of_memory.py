"""The store has no memory left and evicts nothing: every write that could grow it is refused."""

from harness.model.fault_kinds.dependency import STORE, dependency

KIND = dependency("out_of_memory", "The store has no memory left", places=(STORE,))
