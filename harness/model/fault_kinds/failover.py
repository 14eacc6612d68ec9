"""The store is demoted in the middle of a failover: its clients are cut, and until a new primary is there nothing is served.

As far as one server can show it: the connections are closed, then every command is answered with MASTERDOWN, and when the
fault clears the server is the primary again, with its data.
"""

from harness.model.fault_kinds.dependency import STORE, dependency

KIND = dependency("failover", "The store is between two primaries", places=(STORE,))
