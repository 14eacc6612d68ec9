"""Processes that have a program imported already and give birth to it: a second of imports for each of hundreds of starts was the
longest part of these tests.

What a forge starts is a child of the test, not of the forge: it is waited for, signalled and killed as any other. What a
program does at its start is all done by the child; its being started by `python -m` has tests of its own. A forge is made for
the first who asks, one for each family of programs, and ends with this process.

A forge only imports before it forks, and so has one thread: a lock that another one held would be held for ever in the child.
"""

import atexit
import ctypes
import functools
import gc
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

TESTS = Path(__file__).parent
FAMILIES = {
    "load": ("harness.load",),  # patches sockets and threads: nobody else's company
    "provider": ("harness.provider", "quick_provider", "load_stub"),
    "service": (
        "reference_service.serve",
        "reference_service.worker",
        "reference_service.audit",
        "reference_service.keys",
        "reference_service.provision",
        "reference_service.sealing",
        "reference_service.workflow",
        "reference_service.operations.backup",
        "reference_service.operations.balancer",
        "reference_service.operations.features",
        "reference_service.operations.rollout",
        "reference_service.operations.standby",
        "killed_worker",
    ),
    "harness": ("harness",),
}
IMPORTED_LATE = (
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.figure",
    "pandas",
    "pyarrow.dataset",
    "scipy.special",
)
"""What the harness imports only where it is used, beside its own rooms, which it does too."""
ELSEWHERE = ("harness.load", "harness.pytest_plugin")
FAMILY_OF = {program: family for family, programs in FAMILIES.items() for program in programs}
CARRIED_OUT = {"stdin", "stdout", "stderr", "text", "env", "cwd", "start_new_session"}
"""What an order may say of how it is carried out."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""NumPy and Arrow start threads when they are imported, unless they are told not to."""
OURS = [str(TESTS.parent), str(TESTS / "e2e"), str(TESTS / "truth")]
"""Where a forge finds its programs before anywhere else."""
ORDER_BYTES = 1 << 20
_SET_CHILD_SUBREAPER = 36
fork, waitpid, close = os.fork, os.waitpid, os.close  # Locust's import puts others in their place, which wait for its loop


def popen(command: Sequence[str | Path], **how: Any) -> "subprocess.Popen[Any]":
    """Start a command as `subprocess.Popen` does; where it is `python -m PROGRAM` of a forge, that gives birth to it."""
    how = {name: value for name, value in how.items() if value is not None}
    known = list(command[:2]) == [sys.executable, "-m"] and str(command[2]) in FAMILY_OF and how.keys() <= CARRIED_OUT
    return (Forged if known else subprocess.Popen)(command, **how)


def run(
    command: Sequence[str | Path],
    *,
    given: str | None = None,
    timeout_s: float,
    start: "Callable[..., subprocess.Popen[str]]" = popen,
    **how: Any,
) -> "subprocess.CompletedProcess[str]":
    """Start a command and wait for its end; `given` is its input. Raises subprocess.TimeoutExpired."""
    pipe = subprocess.PIPE
    source = subprocess.DEVNULL if given is None else pipe
    with start(command, stdin=source, stdout=pipe, stderr=pipe, text=True, **how) as process:
        try:
            out, errors = process.communicate(given, timeout=timeout_s)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


class Forged(subprocess.Popen[Any]):
    """A child that a forge gave birth to, in all else what any other is."""

    def _execute_child(self, *given: Any) -> None:  # type: ignore[override] # whatever they are in this Python
        asked = inspect.signature(subprocess.Popen._execute_child).bind(self, *given).arguments
        _, _, program, *arguments = map(str, asked["args"])
        order = {
            "program": program,
            "arguments": arguments,
            "environment": dict(os.environ if asked["env"] is None else asked["env"]),
            "directory": str(asked["cwd"] or Path.cwd()),
            "new_session": asked["start_new_session"],
        }
        ends = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        self.pid = forge_of(FAMILY_OF[program]).gives_birth(order, [own if end == -1 else end for own, end in enumerate(ends)])
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(asked[name] for name in pipes))


@functools.cache
def forge_of(family: str) -> "Forge":
    """Return the forge of a family, which is made when it is first wanted."""
    return Forge(family)


class Forge:
    """The process that gives birth. It ends with its socket, so also when the tests are killed; its children live on."""

    def __init__(self, family: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_at_a_time = threading.Lock()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SERVICE_", "LOCUST_"))}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, family, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={**clean, **ONE_THREAD},
                cwd=TESTS.parent,
            )
        atexit.register(self._end)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait(10)

    def gives_birth(self, order: dict[str, Any], files: list[int]) -> int:
        """Have an order carried out by a child of this process, with these for its standard files; return its process id."""
        with self._one_at_a_time:
            # The birth is the one moment at which this process takes in orphans: others' are not ours to wait for.
            _takes_orphans(True)
            try:
                socket.send_fds(self._socket, [json.dumps(order).encode()], files)
                return int(self._socket.recv(100))
            finally:
                _takes_orphans(False)


def _takes_orphans(yes: bool) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, int(yes), 0, 0, 0)


def main_of(program: str) -> Callable[[], int | None]:
    """Return what `python -m` of a program would run, which may have its arguments handed or find them in `sys.argv`."""
    found = importlib.util.find_spec(program)
    package = found is not None and found.submodule_search_locations is not None
    main: Callable[..., int | None] = importlib.import_module(f"{program}.__main__" if package else program).main
    return (lambda: main(sys.argv[1:])) if inspect.signature(main).parameters else main


def import_late_ones() -> None:
    """Import what `harness` would only import when a command is called."""
    import harness

    found = pkgutil.walk_packages(harness.__path__, "harness.")
    rooms = [module.name for module in found if not module.name.startswith(ELSEWHERE) and not module.name.endswith("__main__")]
    for name in (*rooms, *IMPORTED_LATE):
        importlib.import_module(name)


def give_birth(family: str, orders: socket.socket) -> int:
    """Fork a grandchild for each order and say its pid; return when there are no more."""
    programs = {name: main_of(name) for name in FAMILIES[family]}
    if family == "harness":
        import_late_ones()
    gc.collect()
    gc.freeze()  # or a child that collects writes to, and so copies, every page there is
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "an import has started a thread, which no child would have"
    while True:
        message, files, _, _ = socket.recv_fds(orders, ORDER_BYTES, 3)
        if not message:
            return 0
        read, write = os.pipe()
        if (between := fork()) == 0:
            if (child := fork()) != 0:
                os.write(write, str(child).encode())
                os._exit(0)
            orders.close()
            for descriptor in (read, write):
                close(descriptor)
            order = json.loads(message)
            be(programs[order["program"]], order, files)
        close(write)
        waitpid(between, 0)  # from here on the grandchild is the test's child
        orders.send(os.read(read, 100))
        for descriptor in (read, *files):
            close(descriptor)


def be(main: Callable[[], int | None], order: dict[str, Any], files: list[int]) -> NoReturn:
    """Become what was ordered, and end with its exit code; to take all those imports apart first would take a third of a second."""
    if order["new_session"]:
        os.setsid()
    for number, descriptor in enumerate(files):
        os.dup2(descriptor, number)
        close(descriptor)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [order["program"], *order["arguments"]]
    sys.path[: len(OURS)] = [order["directory"]]
    if "gevent" in sys.modules:
        sys.modules["gevent"].reinit()  # an import has looked for IPv6 with a socket, which made a loop
    code = exit_code_of(main)
    if "gevent" not in sys.modules:
        threading._shutdown()  # waits for threads that are no daemons, as Python does
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 120  # as Python has it
    os._exit(code)


def exit_code_of(main: Callable[[], int | None]) -> int:
    """Return what Python would end with; whatever ended it stands in its log."""
    try:
        return main() or 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001 - as Python has it
        traceback.print_exc()
    return 1


if __name__ == "__main__":
    sys.path[:1] = OURS
    raise SystemExit(give_birth(sys.argv[1], socket.socket(fileno=int(sys.argv[2]))))
