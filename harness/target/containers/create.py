"""From a part to a testcontainers container, and from what the engine's client raises to one sentence."""

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import StackError, StorageError
from harness.target.containers.part import IMAGE_USER, SECRETS, Part


def container_of(part: Part, inside: str | None, files_of: str | None = None) -> Any:
    """Return a testcontainers container whose files go to a volume of its own: a read-only root takes none.

    inside, files_of: the ids of the containers whose network and whose files it shares.
    """
    from docker.types import LogConfig, Mount
    from testcontainers.core.container import DockerContainer

    class WithFiles(DockerContainer):
        def _configure(self) -> None:
            return None

        def _transfer_into_container(self, transferable: Any, destination_in_container: str, mode: int) -> None:
            assert self._container is not None
            self._container.put_archive(SECRETS, _archive({destination_in_container: transferable}, mode))

    options: dict[str, Any] = {
        "read_only": part.read_only,
        "mem_limit": f"{part.memory_mb}m",
        "log_config": LogConfig(type="json-file", config={"max-size": "64m", "max-file": "1"}),
        "healthcheck": {"test": ["NONE"]},  # we look ourselves, and a process every few seconds would cost what we measure
        "security_opt": ["no-new-privileges"],
    }
    if inside is None:
        options["dns"] = ["127.0.0.1"]  # names outside the stack are refused at once, and not asked of anybody
    else:
        options["network_mode"] = f"container:{inside}"
    if files_of is not None:
        options["volumes_from"] = [files_of]
    if part.user is not None:
        options["user"] = part.user
    if part.entrypoint is not None:
        options["entrypoint"] = list(part.entrypoint)
    if part.files:
        options["mounts"] = [Mount(target=SECRETS, source=None, type="volume")]
    container = WithFiles(part.image, env=dict(part.environment))
    if part.command:
        container.with_command(list(part.command))
    container.with_kwargs(**options)
    if part.read_only:
        container.with_tmpfs_mount("/tmp", "size=64m")  # noqa: S108 - inside the container
    for name, text in part.files.items():
        container.with_copy_into_container(text.encode(), name, 0o444)
    return container


def _archive(files: Mapping[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            if "/" in name:
                folder = tarfile.TarInfo(name.rpartition("/")[0])
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                folder.uid = folder.gid = info.uid = info.gid = IMAGE_USER
                tar.addfile(folder)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def client_errors() -> tuple[type[Exception], ...]:
    """Return what the engine's own client raises; the last kind where the engine ends in the middle of an answer."""
    import docker.errors
    import requests
    import urllib3

    return docker.errors.DockerException, requests.exceptions.RequestException, urllib3.exceptions.HTTPError


@contextlib.contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Turn what the engine's own client raises into one sentence for people."""
    import docker.errors

    try:
        yield
    except docker.errors.APIError as error:
        text = str(error.explanation or error)
        if "no space left" in text:
            raise StorageError(
                f"{what} could not be started: the engine's disk is full", advice="try: docker system prune"
            ) from error
        raise StackError(f"{what} could not be started: {text}") from error
    except client_errors() as error:
        raise StackError(
            f"the container engine stopped answering while {what} was started: {error}", advice="does `docker info` work?"
        ) from error
