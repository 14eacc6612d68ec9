"""An endpoint before a real provider: passes calls on, breaks them on demand, meters them, and stops at a spend cap."""

from harness.provider.relay.endpoint import RelayEndpoint
from harness.provider.relay.order import RelayOrder
from harness.provider.relay.purse import Purse

__all__ = ["Purse", "RelayEndpoint", "RelayOrder"]
