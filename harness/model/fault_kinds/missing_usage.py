"""A bill that is not shown.

Leaves out the usage block where one is due; a stream that was not asked for it is not touched. The meter still bills.
"""

from harness.model.fault_kinds.provider import provider

KIND = provider("missing_usage", "A bill that is not shown")
