"""A hand on a live run: orders from a second terminal, over a unix socket that only its owner can reach.

One JSON object a line and connection, one back: `{"do": "info"}`, `{"do": "faults"}`, `{"do": "add", "fault": {...}}`
(with `"plugins": [PATH]` for a kind that a file brings), `{"do": "clear", "ids": [...]}`, `{"do": "note", "text": "", "by": ""}`,
`{"do": "halt", "reason": ""}`.
The answer is `{"ok": ...}` or `{"error", "advice"}`.
Every order that changes something is in the journal, and so is what came of it.
"""

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.errors import FaultError, HarnessError
from harness.extensions.by_hand import adopt_files, adopt_installed, of_plugins
from harness.faults import FaultInjector, Recorder
from harness.model.fault import Fault
from harness.model.fault_kinds import check_fault, own_places
from harness.model.fault_kinds.told import kind_as_document
from harness.model.fault_words import find_place
from harness.model.journal import Event
from harness.run.lanes import Lanes
from harness.run.socket_path import short_path

LONGEST_S = 3600.0
"""The longest that a fault by hand may last."""
MOST_OF_A_NOTE = 2000
"""Characters of a note that are kept."""
_ANSWER_WITHIN_S = 60.0
_MAX_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who listens. name: the run's id, or what stands in its place; directory: its run directory, empty without one."""

    name: str
    what: str
    directory: str = ""


class Hand:
    """Listens until `close`. Faults are taken once `begin` was called: before that the rehearsal is going on."""

    def __init__(
        self, owner: Owner, injector: FaultInjector, *, lanes: Lanes, halt: Callable[[str], None], record: Recorder
    ) -> None:
        self._owner, self._injector, self._lanes, self._halt, self._record = owner, injector, lanes, halt, record
        self._began = False
        self._closed = threading.Event()
        self._added = 0
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._path: Path | None = None
        self._listening: socket.socket | None = None

    def listen(self, path: Path) -> "Hand":
        """Listen at a path of the owner's own directory. Raises HarnessError where that cannot be."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with short_path(path) as address:
                listening.bind(address)
            path.chmod(0o600)
            listening.listen(8)
        except OSError as error:
            listening.close()
            raise HarnessError(f"cannot listen for orders at {path}: {error.strerror}") from error
        self._path, self._listening = path, listening
        threading.Thread(target=self._accept, name="hand", daemon=True).start()
        threading.Thread(target=self._end_in_time, name="hand-ends", daemon=True).start()
        return self

    def begin(self) -> None:
        """Take orders about faults from now on."""
        self._began = True

    def close(self) -> None:
        """Listen no more; never raises. Faults by hand are cleared with all others."""
        self._closed.set()
        if self._listening is not None:
            with contextlib.suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    # -- one connection -------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._listening is not None
        while not self._closed.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="hand-order", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5.0)
            if peer_uid(connection) not in {0, os.geteuid()}:
                return
            line = connection.makefile("rb").readline(_MAX_BYTES)
            try:
                answer: dict[str, object] = {"ok": self._obey(json.loads(line))}
            except HarnessError as error:
                answer = {"error": error.message, "advice": error.advice}
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                answer = {"error": f"not an order: {error!r}", "advice": "is the other harness of another version?"}
            connection.settimeout(5.0)
            connection.sendall(json.dumps(answer).encode() + b"\n")

    def _obey(self, order: Mapping[str, Any]) -> object:
        match order["do"]:
            case "info":
                return {**asdict(self._owner), "pid": os.getpid(), "faults": len(self._injector.active())}
            case "faults":
                return {
                    "places": sorted(self._injector.places),
                    "active": [self._shown(f) for f in self._injector.active()],
                    "plugins": [kind_as_document(kind) for kind in of_plugins()],
                }
            case "add":
                return self._add(order["fault"], [Path(str(each)) for each in order.get("plugins", [])])
            case "clear":
                return self._clear([str(each) for each in order["ids"]])
            case "note":
                self._record(Event.NOTE, str(order["by"])[:80], text=str(order["text"])[:MOST_OF_A_NOTE])
                return {}
            case "halt":
                reason = str(order.get("reason") or "")
                self._note("halt", what=reason, done=True)
                self._halt(f"halted by hand{': ' + reason if reason else ''}")
                return {}
            case other:
                raise ValueError(other)

    # -- the orders -----------------------------------------------------------------------------------------------------

    def _add(self, given: Mapping[str, Any], plugins: list[Path]) -> object:
        for_s = float(given["for_s"])
        if not 0 < for_s <= LONGEST_S:
            raise FaultError(f"a fault by hand lasts up to {LONGEST_S:.0f} s, not {for_s:g}")
        self._must_have_begun()
        kind = str(given["kind"])
        for path in plugins:
            for told in adopt_files([path], imports=True):
                self._note("plugin", what=told, done=True)
        adopt_installed(kind)
        at, parameters = find_place(str(given["at"]), kind, self._injector.places), dict(given["parameters"])
        if problems := check_fault(at, kind, parameters, sorted({*self._injector.places, *own_places()})):
            raise FaultError("; ".join(problems))  # whoever sent it may be of another version, or no harness at all
        with self._lock:
            self._added += 1
            fault_id = f"hand-{self._added}-{kind}-{at}".replace(".", "-").replace("_", "-")
        fault = Fault(
            id=fault_id,
            at=at,
            kind=kind,
            phase="by hand",
            apply_ns=0,
            clear_ns=round(for_s * 1e9),
            parameters=parameters,
            seed=self._added,
            expects_action=False,
        )
        what = f"{kind} at {at} for {for_s:g} s"
        self._note("fault.add", what=what, done=False)
        self._do(at, lambda: self._injector.apply(fault))
        with self._lock:
            self._ends[fault_id] = time.monotonic() + for_s
        self._note("fault.add", what=what, done=True)
        return self._shown(fault)

    def _clear(self, ids: list[str]) -> object:
        self._must_have_begun()
        active = {fault.id: fault for fault in self._injector.active()}
        if unknown := [each for each in ids if each not in active]:
            there = f"there are {', '.join(active)}" if active else "nothing is"
            raise FaultError(f"no fault {unknown[0]!r} is in force; {there}")
        cleared = [active[each] for each in (ids or reversed(list(active)))]
        for fault in cleared:
            self._end(fault)
        return [fault.id for fault in cleared]

    def _end(self, fault: Fault) -> None:
        self._note("fault.clear", what=fault.id, done=False)
        self._do(fault.at, lambda: self._injector.clear(fault.id))
        with self._lock:
            self._ends.pop(fault.id, None)
        self._note("fault.clear", what=fault.id, done=True)

    def _must_have_begun(self) -> None:
        if not self._began:
            raise FaultError("the run has not begun yet: its faults are being rehearsed", advice="try again in some seconds")

    def _do(self, at: str, work: Callable[[], None]) -> None:
        try:
            self._lanes.do(at, work).result(timeout=_ANSWER_WITHIN_S)
        except TimeoutError as error:
            raise FaultError(f"not done within {_ANSWER_WITHIN_S:.0f} s; it goes on") from error

    def _end_in_time(self) -> None:
        """Clear what is due. What cannot be cleared is in the journal, stays active, and meets `clear_all` at the end."""
        while not self._closed.wait(0.05):
            with self._lock:
                due = [fault_id for fault_id, ends_at in self._ends.items() if ends_at <= time.monotonic()]
                for fault_id in due:
                    del self._ends[fault_id]
            for fault in [each for each in self._injector.active() if each.id in due]:
                with contextlib.suppress(HarnessError):
                    self._do(fault.at, lambda fault=fault: self._injector.clear(fault.id))  # type: ignore[misc]

    def _shown(self, fault: Fault) -> dict[str, object]:
        with self._lock:
            ends_at = self._ends.get(fault.id)
        left_s = None if ends_at is None else round(max(0.0, ends_at - time.monotonic()), 1)
        shown = {"id": fault.id, "kind": fault.kind, "at": fault.at, "phase": fault.phase, "left_s": left_s}
        return shown | {"parameters": dict(fault.parameters)}

    def _note(self, subject: str, *, what: str, done: bool) -> None:
        self._record(Event.HAND, subject, what=what, done=done)


def peer_uid(connection: socket.socket) -> int:
    """Return whose process is at the other end, by the kernel's word."""
    _pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)
