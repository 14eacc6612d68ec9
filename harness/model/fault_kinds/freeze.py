"""The process stops in the middle of whatever it does (SIGSTOP) and goes on when the fault clears (SIGCONT)."""

from harness.model.fault_kinds.process import TREE, process

KIND = process("freeze", "A process stands still", TREE)
