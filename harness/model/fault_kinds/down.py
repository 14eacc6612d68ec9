"""The link is down: live connections are cut, new ones refused.

Not a toxic: the proxy is disabled, and its toxics, if any, wait until it is back.
"""

from harness.model.fault import ActedBy, FaultKind, Layer
from harness.model.fault_kinds.toxic import LINKS

KIND = FaultKind(kind="down", title="Connections are refused", layer=Layer.TRANSPORT, places=LINKS, acted_by=ActedBy.PROXY)
