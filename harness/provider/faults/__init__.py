"""The provider's faults, one file each."""

from harness.provider.faults.base import ProviderFault
from harness.provider.faults.stall import Stall
from harness.provider.faults.status import Status

KINDS: dict[str, type[ProviderFault]] = {
    "stall": Stall,
    "status": Status,
}
"""Every kind by its name."""
