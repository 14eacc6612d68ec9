"""The keeper: starts every process of one stack, and ends them all when the harness is done or gone.

Run as `python -m harness.target.keeper`, in a session of its own, by `harness.target.supervise.supervisor`.

standard input, one JSON object a line              standard output
  {"do": "keep", stack_id, directory, state_directory}   {"event": "keeping"} | {"event": "failed", errno, path}
  {"do": "spawn", ...the fields of `Spawn`}              {"event": "spawned", name, pid, start_ticks} | {"event": "failed", ...}
  {"do": "stop", within_s}                               {"event": "stopped", killed, left}, then the end
                                                         {"event": "exited", name, code} whenever a process ends

The end of standard input without "stop", or the death of the process that started the keeper, means: the harness was
killed. Everything is killed at once and the directory removed. Standard library only: it starts before all else.
"""

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.target.supervise import marker, removal
from harness.target.supervise.children import Children, Spawn, adopt_orphans
from harness.target.supervise.procfs import Identity, identify
from harness.target.supervise.shared_memory import remove_segments


class _Keeper:
    def __init__(self, control: Identity, control_descriptor: int) -> None:
        self._control = control
        self._control_descriptor = control_descriptor
        self._children = Children()
        self._marker: marker.Marker | None = None
        self._state_directory = Path()
        self._input = b""

    def run(self, wakeup: int) -> None:
        """Serve until told to stop, or until the harness is gone."""
        while True:
            readable, _, _ = select.select([0, wakeup, self._control_descriptor], [], [])
            if wakeup in readable:
                os.read(wakeup, 4096)
            for name, code in self._children.reap():
                self._exited(name, code)
            if 0 in readable:
                data = os.read(0, 1 << 16)
                if not data:
                    return self._abandoned()
                *lines, self._input = (self._input + data).split(b"\n")
                for line in lines:
                    if not self._obey(json.loads(line)):
                        return None
            elif self._control_descriptor in readable:
                return self._abandoned()

    def _obey(self, order: Mapping[str, Any]) -> bool:
        """Do what an order says; return whether more orders may follow."""
        if order["do"] == "keep":
            self._keep(order)
        elif order["do"] == "spawn":
            self._spawn(order["spawn"])
        else:
            killed = self._children.stop(within_s=order["within_s"], report=self._exited)
            self._say(event="stopped", killed=killed, left=not self._clear_away())
            return False
        return True

    def _keep(self, order: Mapping[str, Any]) -> None:
        myself = identify(os.getpid()) or Identity(pid=os.getpid(), start_ticks=-1)
        directory, self._state_directory = Path(order["directory"]), Path(order["state_directory"])
        self._marker = marker.Marker(
            stack_id=order["stack_id"], place=marker.this_place(), control=self._control, keeper=myself, directory=str(directory)
        )
        path = self._state_directory
        try:
            marker.write(path, self._marker)  # before there is anything that could be left behind
            path = directory
            removal.make(directory, self._marker.stack_id)
        except OSError as error:
            self._clear_away()
            self._say(event="failed", name="keeper", errno=error.errno, path=str(path))
        else:
            self._say(event="keeping")

    def _spawn(self, fields: Mapping[str, Any]) -> None:
        user = fields["user"]
        spawn = Spawn(**{**fields, "user": None if user is None else (user[0], user[1])})
        try:
            child = self._children.start(spawn)
            if self._marker is not None:
                self._marker = self._marker.with_child(spawn.name, child)
                marker.write(self._state_directory, self._marker)
        except OSError as error:
            self._say(event="failed", name=spawn.name, errno=error.errno, path=str(error.filename or spawn.command[0]))
        else:
            self._say(event="spawned", name=spawn.name, pid=child.pid, start_ticks=child.start_ticks)

    def _abandoned(self) -> None:
        self._children.kill_all(report=self._exited, within_s=3.0)
        self._clear_away()

    def _clear_away(self) -> bool:
        """Remove directory and marker; return whether both processes and directory are gone."""
        if self._marker is None:
            return True
        ended = self._children.kill_all(report=self._exited)
        remove_segments(child.pid for _, child in self._marker.children)
        gone = removal.remove(Path(self._marker.directory), self._marker.stack_id) and ended
        if gone:
            marker.remove(self._state_directory, self._marker.stack_id)
        return gone

    def _exited(self, name: str, code: int) -> None:
        self._say(event="exited", name=name, code=code)

    def _say(self, **fields: object) -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens once the harness is gone; the work goes on
            view = memoryview(json.dumps(fields).encode() + b"\n")
            while view:
                view = view[os.write(1, view) :]


def main() -> None:
    """Keep one stack for the process that started this one."""
    # The terminal's Ctrl-C and a runner's SIGTERM are for the harness to answer: its end is what ends the keeper.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    control = identify(os.getppid())
    if control is None:
        sys.exit(1)
    control_descriptor = os.pidfd_open(control.pid)
    wakeup, wake = os.pipe()
    os.set_blocking(wakeup, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    adopt_orphans()
    _Keeper(control, control_descriptor).run(wakeup)


if __name__ == "__main__":
    main()
