"""Which backend serves which layer of a running target."""

from harness.faults.backend import Backend
from harness.faults.by_place import ByPlace
from harness.faults.command import CommandBackend
from harness.faults.container import ContainerBackend
from harness.faults.deploy import DeployBackend
from harness.faults.extended import ExtensionBackend
from harness.faults.process import ProcessBackend
from harness.faults.provider import ProviderBackend
from harness.faults.resource import ResourceBackend
from harness.faults.toxiproxy import ToxiproxyBackend
from harness.faults.witnessed import WitnessedToxiproxyBackend
from harness.model.fault import Layer
from harness.model.fault_kinds.deploy import SERVICE
from harness.model.target import Landscape


def backends_for(landscape: Landscape) -> dict[Layer, Backend]:
    """Return a backend for each layer in which the target can be reached."""
    backends: dict[Layer, Backend] = {}
    if landscape.links and landscape.witness is not None:
        backends[Layer.TRANSPORT] = WitnessedToxiproxyBackend(landscape.links, landscape.witness)
    elif landscape.links:
        backends[Layer.TRANSPORT] = ToxiproxyBackend(landscape.links)
    if landscape.provider_control_url is not None:
        backends[Layer.PROVIDER] = ProviderBackend(landscape.provider_control_url)
    containers = ContainerBackend(landscape.containers, landscape.await_ready) if landscape.containers else None
    if containers is not None:
        backends[Layer.PROCESS] = containers
    if landscape.processes:
        processes = ProcessBackend(landscape.processes, landscape.start_again, landscape.process_now)
        special = frozenset(landscape.containers)
        backends[Layer.PROCESS] = processes if containers is None else ByPlace(special, containers, processes)
        backends[Layer.RESOURCE] = ResourceBackend(processes.locate, landscape.disks)
    if landscape.rollout is not None and Layer.PROCESS in backends:
        backends[Layer.DEPLOY] = DeployBackend(landscape.rollout, backends[Layer.PROCESS])
    if landscape.clocks:
        from harness.faults.clock import ClockBackend  # the database's driver is slow to load

        backends[Layer.CLOCK] = ClockBackend(landscape.clocks)
    if landscape.commands:
        backends[Layer.COMMAND] = CommandBackend(landscape.commands)
    backends[Layer.EXTENSION] = ExtensionBackend(landscape)  # makes nothing until a kind of a plug-in is applied
    if Layer.RESOURCE not in backends and (landscape.host or landscape.disks):
        backends[Layer.RESOURCE] = ResourceBackend(disks=landscape.disks)
    if landscape.dependencies:
        from harness.faults.dependency import DependencyBackend  # the database's driver is slow to load

        backends[Layer.DEPENDENCY] = DependencyBackend(landscape.dependencies)
    return backends


def places_of(landscape: Landscape) -> frozenset[str]:
    """Return every `at` that a fault may name in a running target.

    Processes are named `processes.NAME`, in the landscape with or without the prefix; those in containers are also
    `containers.NAME`, for what only an engine can do.
    """
    processes = {name if name.startswith("processes.") else f"processes.{name}" for name in landscape.processes}
    endpoints = set() if landscape.provider_control_url is None else {"provider.primary", "provider.secondary"}
    containers = {f"{kind}.{name}" for name in landscape.containers for kind in ("processes", "containers")}
    own = {
        *landscape.dependencies,
        *landscape.disks,
        *landscape.clocks,
        *landscape.commands,
        *(["host"] if landscape.host else []),
    }
    own |= set() if landscape.rollout is None else {SERVICE}
    return frozenset(landscape.links) | processes | endpoints | containers | own
