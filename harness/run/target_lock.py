"""One run a target: two at once would each measure the other's load and faults."""

import contextlib
import hashlib
import socket
import struct
from collections.abc import Iterator

from harness.errors import StackError
from harness.model.target import Target


@contextlib.contextmanager
def sole_run(target: Target) -> Iterator[None]:
    """Hold a target while the block runs. Raises StackError where another run of this machine holds it.

    The lock is a name in Linux's abstract socket namespace: it ends with its process, however that ends, and leaves no
    file. A target whose every run has a stack of its own needs none.
    """
    name = getattr(target, "lock_name", lambda: None)()
    if name is None:
        yield
        return
    address = b"\0llm-harness-target-" + hashlib.sha256(str(name).encode()).hexdigest().encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        try:
            lock.bind(address)
        except OSError:
            raise StackError(
                f"another run{_holder(address)} is on this target ({name}); two at once would measure each other",
                advice="see harness ps; wait for it, or end it: harness halt",
            ) from None
        lock.listen(8)
        yield


def _holder(address: bytes) -> str:
    """Return ` (pid 123)` of the process that holds a name, by the kernel's word; empty where it has just let go."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking, contextlib.suppress(OSError):
        asking.settimeout(1.0)
        asking.connect(address)
        pid, _uid, _gid = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return f" (pid {pid})"
    return ""
