"""Which backend serves which layer of a running target."""

from harness.faults.backend import Backend
from harness.faults.command import CommandBackend
from harness.faults.container import ContainerBackend
from harness.faults.process import ProcessBackend
from harness.faults.provider import ProviderBackend
from harness.faults.resource import ResourceBackend
from harness.faults.toxiproxy import ToxiproxyBackend
from harness.faults.witnessed import WitnessedToxiproxyBackend
from harness.model.fault import Layer
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
    if landscape.containers:
        backends[Layer.PROCESS] = ContainerBackend(landscape.containers, landscape.await_ready)
    elif landscape.processes:
        processes = ProcessBackend(landscape.processes, landscape.start_again)
        backends[Layer.PROCESS] = processes
        backends[Layer.RESOURCE] = ResourceBackend(processes.locate, landscape.disks)
    if landscape.commands:
        backends[Layer.COMMAND] = CommandBackend(landscape.commands)
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
    own = {*landscape.dependencies, *landscape.disks, *landscape.commands, *(["host"] if landscape.host else [])}
    return frozenset(landscape.links) | processes | endpoints | containers | own
