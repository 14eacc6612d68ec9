"""Gets the images that a stack needs: those that are here stay, others are pulled, ours are built from the checkout."""

import contextlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness.errors import StackError, StorageError
from harness.faults.engine import Engine, EngineError
from harness.target.containers import images
from harness.target.containers.create import client_errors

_CONTEXT = ("deploy/docker", "harness", "reference_service", "scenarios")


def get_images(engine: Engine, keys: Iterable[str], say: Callable[[str], None]) -> dict[str, str]:
    """Return the name of each image, seen to be here. Raises StackError or StorageError.

    say: told what takes its time.
    """
    found: dict[str, str] = {}
    for key in keys:
        found[key] = name = images.name_of(key)
        if is_here(engine, name):
            continue
        root = images.checkout()
        if key in images.OWN and root is not None:
            say(f"building {name} (once for these sources) ...")
            _build(engine, images.OWN[key], name, root)
        elif key in images.OWN:
            raise StackError(f"image {name} is not here", advice="build it in a checkout of the project: docker compose build")
        else:
            say(f"pulling {name} (once) ...")
            _pull(name)
    return found


def is_here(engine: Engine, name: str) -> bool:
    """Return whether the engine has an image. Raises EngineError where it does not answer."""
    try:
        engine.ask("GET", f"/images/{name}/json")
    except EngineError as error:
        if error.status == 404:
            return False
        raise
    return True


def _client(timeout_s: float) -> Any:
    import docker

    return docker.from_env(timeout=int(timeout_s))


def _pull(name: str) -> None:
    try:
        with contextlib.closing(_client(600)) as client:
            client.images.pull(name)
    except client_errors() as error:
        raise StackError(
            f"image {name} is not here and cannot be pulled: {_short(error)}",
            advice=f"try: docker pull {name}; or load it from a file: docker load; or use --target embedded",
        ) from error


def _build(engine: Engine, own: images.OwnImage, name: str, root: Path) -> None:
    base = images.PUBLIC["base"]
    if not is_here(engine, base):
        _pull(base)
    arguments = {**dict(own.arguments), "BASE": base, "VERSION": name.rpartition(":")[2]}
    said: list[str] = []
    try:
        with contextlib.closing(_client(900)) as client:
            lines = client.api.build(
                fileobj=_context(root),
                custom_context=True,
                encoding="gzip",
                dockerfile=own.dockerfile,
                tag=name,
                buildargs=arguments,
                rm=True,
                forcerm=True,
                decode=True,
            )
            for line in lines:
                said.append(str(line.get("stream") or line.get("error") or "").rstrip())
                if "error" in line:
                    raise _failed(name, said)
    except client_errors() as error:
        raise StackError(f"image {name} could not be built: {_short(error)}", advice="does `docker info` work?") from error


def _context(root: Path) -> io.BytesIO:
    """Return what a build may see, nothing else of the checkout: no secret of the user's can get into a layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for folder in _CONTEXT:
            for path in sorted((root / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    tar.add(path, str(path.relative_to(root)), filter=_plain)
    buffer.seek(0)
    return buffer


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return an entry without who owns it and when it was touched here, so that equal sources make equal layers."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if info.mode & 0o100 else 0o644
    return info


def _failed(name: str, said: list[str]) -> StackError | StorageError:
    if any("no space left" in line for line in said):
        return StorageError(f"image {name} could not be built: the engine's disk is full", advice="try: docker system prune")
    last = "".join(f"\n    {line}" for line in [line for line in said if line][-12:])
    return StackError(f"image {name} could not be built; it said last:{last}")


def _short(error: Exception) -> str:
    text = getattr(error, "explanation", None) or str(error) or type(error).__name__
    with contextlib.suppress(ValueError, TypeError):
        text = json.loads(text)["message"]
    return str(text).strip().splitlines()[0][:300]
