"""The process is gone at once (SIGKILL) and started again when the fault clears."""

from harness.model.fault_kinds.process import TREE, process

KIND = process("kill", "A process dies at once", TREE)
