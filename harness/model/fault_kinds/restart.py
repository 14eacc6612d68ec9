"""The process is told to end (SIGTERM) and started again at once, as a deploy would."""

from harness.model.fault_kinds.process import process
from harness.model.fault_kinds.terminate import WITHIN_MS

KIND = process("restart", "A process is restarted", WITHIN_MS)
