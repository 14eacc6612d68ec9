"""The resolver's file of a container: read, pointed at nobody, and written back, by the engine and the container's shell."""

from harness.faults.engine import Engine, EngineError

NOBODY = "nameserver 127.0.0.255\noptions timeout:1 attempts:1\n"
"""An address of the container's own loopback where nothing listens: a question is refused at once, and leaves nothing."""

_FILE = "/etc/resolv.conf"


def read_resolver(engine: Engine, container_id: str) -> str:
    """Return the file as it is now. Raises EngineError."""
    return _run(engine, container_id, ["cat", _FILE])


def write_resolver(engine: Engine, container_id: str, text: str) -> None:
    """Write the file in place: it is mounted, and cannot be replaced. Raises EngineError."""
    _run(engine, container_id, ["sh", "-c", f'printf "%s" "$1" > {_FILE}', "sh", text])


def _run(engine: Engine, container_id: str, command: list[str]) -> str:
    code, said = engine.execute(container_id, command)
    if code != 0:
        raise EngineError(
            f"{command[0]} in container {container_id[:12]} ended with {code}: {said.strip()[:200] or 'it said nothing'}",
            advice="has its image a shell?",
        )
    return said
