"""`python -m harness.target.operating.balancing DIR`: starts the operators' own balancer before made-up instances, and asks it.

What it does with a request whose instance dies, and what it says with none ready, is printed as one JSON object. A program of
its own, as operators' programs are: the balancer ends with it, however it ends.
"""

import contextlib
import ctypes
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.target.operating.stand_ins import StandIns

PROGRAM = "harness.target.operating.balancing"

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_READY_WITHIN_S = 15.0
_NOBODY_WITHIN_S = 4.0
_END_WITHIN_S = 3.0
_POLL_S = 0.05
_BODY = json.dumps({"messages": [{"role": "user", "content": "Who answers for an instance that died?"}]})
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the balancer said by itself. status: None where nothing came; code: of its error, None where none can be read."""

    status: int | None = None
    code: str | None = None
    retry_after: str | None = None


def asked(directory: Path) -> dict[str, str | int | None]:
    """Return what the stand-ins received for the one request that was sent, and both answers. Raises OSError, TimeoutError.

    `lost_*` is the answer with an instance that died, `nobody_*` the one with none ready: status, error code, Retry-After.
    """
    with StandIns() as instances, _balancer(directory, instances.addresses) as port:
        lost = _ask(port)
        received = instances.received
        instances.is_ready = False
        nobody = _ask(port)
        deadline = time.monotonic() + _NOBODY_WITHIN_S
        while nobody.status != 503 and time.monotonic() < deadline:  # it looks twice before it believes it
            time.sleep(_POLL_S)
            nobody = _ask(port)
    told: dict[str, str | int | None] = {"received": received}
    for name, answer in (("lost", lost), ("nobody", nobody)):
        told |= {f"{name}_status": answer.status, f"{name}_code": answer.code, f"{name}_retry_after": answer.retry_after}
    return told


@contextlib.contextmanager
def _balancer(directory: Path, instances: tuple[str, ...]) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "reference_service.operations.balancer", "--directory", str(directory / "balancer")]
    command += ["--listen", f"127.0.0.1:{port}", "--blue", *instances, "--green", *instances]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=_die_with_us)  # noqa: PLW1509 - nothing but a system call
    try:
        deadline = time.monotonic() + _READY_WITHIN_S
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError("the operators' balancer did not become ready before two instances that are")
            time.sleep(_POLL_S)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_us() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2.0)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _ask(port: int) -> _Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    try:
        connection.request("POST", "/v1/chat/completions", _BODY, {"content-type": "application/json"})
        response = connection.getresponse()
        return _Answer(
            status=response.status,
            code=_code_of(response.getheader("content-type", ""), response.read(_MOST_BYTES)),
            retry_after=response.getheader("retry-after"),
        )
    except (OSError, http.client.HTTPException):
        return _Answer()
    finally:
        connection.close()


def _code_of(content_type: str, body: bytes) -> str | None:
    """Return the code of an error that a client can read."""
    if content_type.partition(";")[0].strip() != "application/json":
        return None
    with contextlib.suppress(ValueError, TypeError, KeyError):
        code = json.loads(body)["error"]["code"]
        return code if isinstance(code, str) and code else None
    return None


def main() -> int:
    """Ask, and print; 5 where the balancer could not be asked."""
    try:
        sys.stdout.write(json.dumps(asked(Path(sys.argv[1]))) + "\n")
    except OSError as error:  # TimeoutError is one
        sys.stderr.write(f"{error}\n")
        return 5
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
