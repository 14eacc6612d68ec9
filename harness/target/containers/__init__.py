"""The reference stack from images: the topology of the embedded stack in containers, broken through the real Toxiproxy."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.target.containers.leftovers import clean_containers
    from harness.target.containers.target import ContainersTarget

__all__ = ["ContainersTarget", "clean_containers"]


def __getattr__(name: str) -> Any:
    # Loaded when first used: testcontainers is an extra, and `harness clean` does not need it.
    if name == "ContainersTarget":
        from harness.target.containers.target import ContainersTarget

        return ContainersTarget
    if name == "clean_containers":
        from harness.target.containers.leftovers import clean_containers

        return clean_containers
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
