"""Which images the stack is made of, by pinned names; our own are named after what they are built from.

`python -m harness.target.containers.images NAME` prints a name, for scripts that must agree with it.
"""

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.errors import StackError

PUBLIC = {
    "base": "python:3.11.14-slim-bookworm",
    "toxiproxy": "ghcr.io/shopify/toxiproxy:2.12.0",
    "postgres": "pgvector/pgvector:0.8.6-pg18",
    "valkey": "valkey/valkey:9.1.2",
    "caddy": "caddy:2.11.7",
    "prometheus": "prom/prometheus:v2.42.0",
    "alertmanager": "prom/alertmanager:v0.25.0",
    "grafana": "grafana/grafana:11.6.0",
    "ryuk": "testcontainers/ryuk:0.8.1",
}
"""Images that are used as they are, and the base of our own."""

_IGNORED = {"__pycache__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImage:
    """An image of ours: what it is built from, below the root of a checkout. arguments: of the build."""

    name: str
    dockerfile: str
    sources: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...] = ()


OWN = {
    "service": OwnImage(
        name="llm-harness/reference-service",
        dockerfile="reference_service/Dockerfile",
        sources=("reference_service", "deploy/docker/locks/service.txt"),
    ),
    "provider": OwnImage(
        name="llm-harness/provider",
        dockerfile="deploy/docker/Dockerfile",
        # Only what its programs import: an edit of the report must not make a new image.
        sources=(
            *(f"harness/{part}" for part in ("__init__.py", "errors.py", "model", "provider", "faults")),
            *("deploy/docker/Dockerfile", "deploy/docker/locks/provider.txt"),
        ),
        arguments=(("LOCK", "provider"),),
    ),
    "harness": OwnImage(
        name="llm-harness/harness",
        dockerfile="deploy/docker/Dockerfile",
        sources=("harness", "scenarios", "deploy/docker/Dockerfile", "deploy/docker/locks/harness.txt"),
        arguments=(("LOCK", "harness"),),
    ),
}


def checkout() -> Path | None:
    """Return the root of the checkout that this code runs from; None where it was installed from a wheel."""
    root = Path(harness.__file__).resolve().parent.parent
    return root if all((root / own.dockerfile).is_file() for own in OWN.values()) else None


def reference(own: OwnImage, root: Path | None) -> str:
    """Return an image's name: tagged with a digest of its sources, so that no run tests an older service by mistake.

    root: the checkout; without one the tag is the version of the harness.
    """
    if root is None:
        return f"{own.name}:{harness.__version__}"
    return f"{own.name}:{harness.__version__}-{digest(root, own.sources)}"


def digest(root: Path, sources: Iterable[str]) -> str:
    """Return twelve digits that change with any file of the sources, its name or its bytes."""
    sha = hashlib.sha256()
    for source in (*sources, "deploy/docker/sbom.py", "deploy/docker/healthy.py"):
        path = root / source
        files = [path] if path.is_file() else sorted(part for part in path.rglob("*") if part.is_file())
        for file in files:
            if not _IGNORED.intersection(file.parts):
                sha.update(str(file.relative_to(root)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return sha.hexdigest()[:12]


def name_of(key: str) -> str:
    """Return the name of an image, ours or a public one. Raises StackError for a key that is none."""
    if key in PUBLIC:
        return PUBLIC[key]
    if key in OWN:
        return reference(OWN[key], checkout())
    raise StackError(f"there is no image {key!r}; there is {', '.join([*PUBLIC, *OWN])}")


if __name__ == "__main__":
    sys.stdout.write(name_of(sys.argv[1]) + "\n")
