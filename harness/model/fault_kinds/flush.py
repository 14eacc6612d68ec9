"""The store forgets everything at once, as after a restart without persistence. Over as soon as it has happened."""

from harness.model.fault_kinds.dependency import STORE, dependency

KIND = dependency("flush", "The store forgets everything", places=(STORE,))
