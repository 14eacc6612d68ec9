"""The harness's side of the keeper: start processes through it, hear of their ends, stop them all."""

import contextlib
import dataclasses
import errno
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import harness
from harness.errors import HarnessError, StackError, StorageError
from harness.target.supervise import marker, removal
from harness.target.supervise.children import Spawn
from harness.target.supervise.marker import default_state_directory
from harness.target.supervise.procfs import STAMP, Identity, end_all, stamped
from harness.target.supervise.shared_memory import remove_segments

_ANSWER_WITHIN_S = 10.0
_STOP_WITHIN_S = 5.4  # for the polite part; killing and removing take the rest of the 7 s


class Supervisor:
    """One stack's processes and its temporary directory. Safe to use from several threads.

    directory: the stack's own, empty at first, removed at the end whatever happens.
    """

    def __init__(self, *, logs: Path, state_directory: Path | None = None) -> None:
        """Start the keeper. Raises StackError or StorageError, with nothing left."""
        self.stack_id = secrets.token_hex(8)
        self.directory = base_directory() / f"{removal.PREFIX}{self.stack_id}"
        self._state_directory = default_state_directory() if state_directory is None else state_directory
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._stopping = threading.Lock()
        self._answers: dict[str, Mapping[str, Any]] = {}
        self._exits: dict[str, int] = {}
        self._let_go: set[str] = set()
        self._known: list[Identity] = []
        self._pids: dict[str, int] = {}
        self._gone = False
        self._stopped = False
        self._log = logs / "keeper.log"
        try:
            logs.mkdir(parents=True, exist_ok=True)
            with self._log.open("ab") as log:
                self._keeper = subprocess.Popen(
                    [sys.executable, "-m", "harness.target.keeper"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=python_environment(),
                    start_new_session=True,
                )
        except OSError as error:
            raise StorageError(f"cannot write {logs}: {error.strerror}", advice=_advice(error.errno)) from error
        threading.Thread(target=self._listen, name="keeper", daemon=True).start()
        try:
            order = {"stack_id": self.stack_id, "directory": str(self.directory), "state_directory": str(self._state_directory)}
            self._ask("keeper", {"do": "keep", **order})
        except BaseException:
            self.stop()
            raise

    def spawn(self, spawn: Spawn) -> Identity:
        """Start a process. Raises StackError or StorageError where it cannot be started."""
        spawn = dataclasses.replace(spawn, environment={**spawn.environment, STAMP: self.stack_id})
        answer = self._ask(spawn.name, {"do": "spawn", "spawn": dataclasses.asdict(spawn)})
        identity = Identity(pid=int(answer["pid"]), start_ticks=int(answer["start_ticks"]))
        with self._changed:
            self._known.append(identity)
            self._pids[spawn.name] = identity.pid
        return identity

    def pid(self, name: str) -> int | None:
        """Return the pid of the last process started under a name."""
        with self._changed:
            return self._pids.get(name)

    def exits(self) -> dict[str, int]:
        """Return name and exit code of the processes that ended; `keeper` among them where the keeper itself did."""
        with self._changed:
            exits = dict(self._exits)
            if self._gone and not self._stopped:
                exits["keeper"] = self._keeper.poll() or 0
            return exits

    def let_go(self, names: Iterable[str]) -> None:
        """Take the end of these processes for no news, whether or not it was told yet, until one is started again."""
        with self._changed:
            for name in names:
                self._let_go.add(name)
                self._exits.pop(name, None)

    def wait_for_news(self, *, within_s: float) -> None:
        """Return when a process ended or the time is over."""
        with self._changed:
            self._changed.wait(within_s)

    def stop(self) -> None:
        """End every process, within 7 s, and remove the directory. May be called twice."""
        with self._stopping:
            if self._stopped:
                return
            self._stopped = True
            with contextlib.suppress(OSError, ValueError):
                self._send({"do": "stop", "within_s": _STOP_WITHIN_S})
            try:
                self._keeper.wait(_STOP_WITHIN_S + 1.3)
            except subprocess.TimeoutExpired:
                self._keeper.kill()  # its children die with it
                self._keeper.wait()
            except BaseException:
                self._stopped = False  # a second signal: the keeper goes on alone, and so may another stop
                raise
            finally:
                with contextlib.suppress(OSError):
                    assert self._keeper.stdin is not None
                    self._keeper.stdin.close()
            self._finish_what_the_keeper_left()

    def _finish_what_the_keeper_left(self) -> None:
        left = end_all([*self._known, *stamped(self.stack_id)], within_s=1.0)
        remove_segments(identity.pid for identity in self._known)
        gone = removal.remove(self.directory, self.stack_id)
        with contextlib.suppress(OSError):
            if self._log.stat().st_size == 0:
                self._log.unlink()
        if gone and not left:
            marker.remove(self._state_directory, self.stack_id)

    def _ask(self, name: str, order: Mapping[str, object]) -> Mapping[str, Any]:
        """Send an order and return its answer. One order a name at a time."""
        try:
            self._send(order)
        except (OSError, ValueError) as error:
            raise StackError("the keeper of the stack's processes has ended") from error
        with self._changed:
            heard = self._changed.wait_for(lambda: name in self._answers or self._gone, _ANSWER_WITHIN_S)
            answer = self._answers.pop(name, None)
        if answer is None:
            what = "has ended" if heard else f"did not answer within {_ANSWER_WITHIN_S:.0f} s"
            raise StackError(f"the keeper of the stack's processes {what}; see {self._log}")
        if answer["event"] == "failed":
            raise _failure(name, str(answer["path"]), int(answer["errno"] or 0))
        return answer

    def _send(self, order: Mapping[str, object]) -> None:
        with self._writing:
            assert self._keeper.stdin is not None
            self._keeper.stdin.write(json.dumps(order).encode() + b"\n")
            self._keeper.stdin.flush()

    def _listen(self) -> None:
        assert self._keeper.stdout is not None
        for line in self._keeper.stdout:
            news = json.loads(line)
            with self._changed:
                if news["event"] == "exited":
                    if news["name"] not in self._let_go:
                        self._exits[news["name"]] = news["code"]
                elif news["event"] != "stopped":
                    if news["event"] == "spawned":
                        # Only now: the end of the one before, killed a moment ago, may be told after the order to spawn.
                        self._exits.pop(news["name"], None)
                        self._let_go.discard(news["name"])
                    self._answers[news.get("name", "keeper")] = news
                self._changed.notify_all()
        with self._changed:
            self._gone = True
            self._changed.notify_all()


def base_directory() -> Path:
    """Return where a stack's directory can be made; as root, somewhere that other users can pass through.

    Raises StackError.
    """
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]  # noqa: S108 - names below are random
    for candidate in candidates:
        path = candidate.resolve()
        if path.is_dir() and os.access(path, os.W_OK | os.X_OK) and (os.geteuid() != 0 or others_may_enter(path)):
            return path
    raise StackError(
        f"no directory for the stack's files: {', '.join(str(path) for path in dict.fromkeys(candidates))} cannot be used",
        advice="set TMPDIR to a directory that you may write to, and as root, that other users may enter",
    )


def others_may_enter(path: Path) -> bool:
    """Return whether a user who owns nothing here may pass through to a directory."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def python_environment() -> dict[str, str]:
    """Return the environment for our own Python processes: nothing of the user's that could change what they do.

    No proxy settings, no start-up files, no module that happens to lie in the current directory.
    """
    kept = {
        name: os.environ[name]
        for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "TZ", "PYTHONPYCACHEPREFIX")
        if name in os.environ
    }
    root = str(Path(harness.__file__).resolve().parent.parent)
    return {**kept, "LANG": "C.UTF-8", "PYTHONPATH": root, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}


def _failure(name: str, path: str, number: int) -> HarnessError:
    if number in {errno.ENOSPC, errno.EDQUOT, errno.EROFS} or name == "keeper":
        return StorageError(f"cannot write {path}: {os.strerror(number)}", advice=_advice(number))
    return StackError(f"{name} could not be started: {path}: {os.strerror(number)}")


def _advice(number: int | None) -> str:
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return "free some space, or set TMPDIR to a place that has some"
    return "choose a place that you may write to: TMPDIR for the stack, XDG_STATE_HOME for its marker, --out for the run"
