"""What `harness doctor` looks at for containers: the engine, its disk, the images of the stack, and compose."""

import os
import shutil

from harness.cli.doctor_finding import Finding
from harness.errors import StackError
from harness.faults.engine import Engine

_FREE_NEEDED_MB = 2000


def container_findings() -> list[Finding]:
    """Return what a run in containers needs here; nothing of it is needed elsewhere. Only the engine where none answers."""
    try:
        engine = Engine.find()
        found = [_finding("container engine", True, f"{engine.version()} at {engine.address}"), _disk(engine), _images(engine)]
    except StackError as error:
        found = [_finding("container engine", False, _told(error))]
    return [*found, _compose()]


def _disk(engine: Engine) -> Finding:
    what = f"{_FREE_NEEDED_MB:,} MB for images and containers"
    root = str((engine.ask("GET", "/info") or {}).get("DockerRootDir", ""))
    try:
        free_mb = shutil.disk_usage(root).free / 1e6
    except OSError as error:  # the engine's own directory, which an ordinary user may not even look into
        return _finding(what, False, f"not known: {root or 'no directory told'}: {os.strerror(error.errno or 0)}")
    advice = "" if free_mb >= _FREE_NEEDED_MB else "; see what takes it: docker system df"
    return _finding(what, free_mb >= _FREE_NEEDED_MB, f"{free_mb:,.0f} MB free in {root}{advice}")


def _images(engine: Engine) -> Finding:
    from harness.target.containers import images
    from harness.target.containers.provision import is_here
    from harness.target.containers.target import IMAGES

    missing = [key for key in IMAGES if not is_here(engine, images.name_of(key))]
    if not missing:
        return _finding("images of --target containers", True, f"all {len(IMAGES)} are here")
    built = [images.name_of(key) for key in missing if key in images.OWN]
    pulled = [images.name_of(key) for key in missing if key not in images.OWN]
    told = [f"the first run pulls {', '.join(pulled)}"] * bool(pulled) + [f"it builds {', '.join(built)}"] * bool(built)
    return _finding("images of --target containers", False, "; ".join(told))


def _compose() -> Finding:
    from harness.target.external.compose_file import compose_command

    try:
        command = compose_command()
    except StackError as error:
        return _finding("compose", False, _told(error))
    return _finding("compose", True, f"`{' '.join(command)}`")


def _finding(what: str, ok: bool, found: str) -> Finding:
    return Finding(what=what, ok=ok, needed=False, found=found)


def _told(error: StackError) -> str:
    return f"{error.message}; {error.advice}" if error.advice else error.message
