"""The runs of this user that are live now, and orders to them."""

import contextlib
import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationError, FaultError, did_you_mean
from harness.run.hand import peer_uid
from harness.run.socket_path import short_path

_LOOK_WITHIN_S = 2.0
_ORDER_WITHIN_S = 65.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """One process that listens. name: its run id; faults: how many are in force."""

    path: Path
    name: str
    what: str
    directory: str
    pid: int
    faults: int

    def order(self, order: Mapping[str, object]) -> Any:
        """Give an order and return what came of it. Raises FaultError with what the run said."""
        answer = _ask(self.path, order, within_s=_ORDER_WITHIN_S)
        if "error" in answer:
            raise FaultError(str(answer["error"]), advice=answer.get("advice"))
        return answer["ok"]


def live_runs(state_directory: Path) -> list[LiveRun]:
    """Return what is live, by the time it was started."""
    found = []
    with contextlib.suppress(OSError):
        paths = sorted(state_directory.glob("*.sock"), key=lambda path: path.lstat().st_mtime)
        for path in paths:
            with contextlib.suppress(FaultError, OSError, KeyError, TypeError):
                info = _ask(path, {"do": "info"}, within_s=_LOOK_WITHIN_S)["ok"]
                names = ("name", "what", "directory", "pid", "faults")
                found.append(LiveRun(path=path, **{name: info[name] for name in names}))
    return found


def choose(runs: Sequence[LiveRun], name: str | None) -> LiveRun:
    """Return the run of that name, or the one that there is. Raises ConfigurationError."""
    if not runs:
        raise ConfigurationError("nothing is live", advice="start a run, or harness serve")
    names = [run.name for run in runs]
    if name is not None:
        for run in runs:
            if name in (run.name, str(run.pid)):
                return run
        raise ConfigurationError(f"no live run is called {name!r}; there are {', '.join(names)}{did_you_mean(name, names)}")
    if len(runs) > 1:
        raise ConfigurationError(f"{len(runs)} runs are live; name one with --run: {', '.join(names)}")
    return runs[0]


def _ask(path: Path, order: Mapping[str, object], *, within_s: float) -> dict[str, Any]:
    try:
        with short_path(path) as address, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(within_s)
            connection.connect(address)
            if peer_uid(connection) not in {0, os.geteuid()}:
                raise FaultError(f"{path} belongs to another user")
            connection.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline())
    except (OSError, ValueError) as error:
        raise FaultError(f"the run does not answer at {path}: {error}", advice="see: harness ps, harness clean") from error
    if not isinstance(answer, dict):
        raise FaultError(f"the run at {path} gives no answer that can be read")
    return answer
