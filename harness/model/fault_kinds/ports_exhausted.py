"""No port is left for a new connection, as at a NAT or a client that has used up its own: what is open stays open.

Who connects is refused at once. Of the embedded proxy only: Toxiproxy closes what is open together with its listener.
"""

from harness.model.fault import ActedBy, FaultKind, Layer
from harness.model.fault_kinds.toxic import LINKS

KIND = FaultKind(
    kind="ports_exhausted",
    title="Open connections live on, new ones are refused",
    layer=Layer.TRANSPORT,
    places=LINKS,
    acted_by=ActedBy.PROXY,
)
