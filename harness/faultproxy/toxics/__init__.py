"""The toxics, one file each, and the list of them by the name that the API uses."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.faultproxy.toxics.bandwidth import Bandwidth
from harness.faultproxy.toxics.corrupt import Corrupt
from harness.faultproxy.toxics.latency import Latency
from harness.faultproxy.toxics.limit_data import LimitData
from harness.faultproxy.toxics.loss import Loss
from harness.faultproxy.toxics.noop import Noop
from harness.faultproxy.toxics.reset_peer import ResetPeer
from harness.faultproxy.toxics.slicer import Slicer
from harness.faultproxy.toxics.slow_close import SlowClose
from harness.faultproxy.toxics.stage import Stage
from harness.faultproxy.toxics.timeout import Timeout

TOXICS: Mapping[str, type[Stage]] = MappingProxyType(
    {stage.TYPE: stage for stage in (Bandwidth, Corrupt, Latency, LimitData, Loss, Noop, ResetPeer, Slicer, SlowClose, Timeout)}
)
