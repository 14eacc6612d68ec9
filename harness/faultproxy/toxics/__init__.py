"""The toxics, one file each, and the list of them by the name that the API uses."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.faultproxy.toxics.latency import Latency
from harness.faultproxy.toxics.noop import Noop
from harness.faultproxy.toxics.stage import Stage
from harness.faultproxy.toxics.timeout import Timeout

TOXICS: Mapping[str, type[Stage]] = MappingProxyType({stage.TYPE: stage for stage in (Latency, Noop, Timeout)})
