"""The guardian's process: `python -m harness.faults.guardian --undo-list PATH`.

Control writes lines of JSON to its standard input and gets one line back for each, once the list is on disk:
`{"hold": ID, "steps": [...], "lease_s": N}`, `{"release": ID}`, `{"renew": N}`. When the pipe closes, or the lease
ends, or it is told to end (SIGTERM, SIGHUP), it heals everything on its list. An interrupt from the terminal is
control's business, not its own.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from harness.faults.guardian.healing import heal
from harness.faults.guardian.keeping import Keeping
from harness.faults.guardian.undo import step_from_json

_TRY_FOR_S = 10.0
"""How long healing is tried again before the list is left to `harness clean`."""


class _ToldToEnd(Exception):  # noqa: N818 - an event, not an error
    """SIGTERM or SIGHUP came."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold the list until the pipe closes; return 0 with nothing left, 1 with a list that could not be healed."""
    parser = argparse.ArgumentParser(prog="python -m harness.faults.guardian")
    parser.add_argument("--undo-list", required=True, type=Path)
    keeping = Keeping(parser.parse_args(arguments).undo_list)
    _set_signals()
    try:
        _answer(keeping.ready())
        _serve(keeping)
    except _ToldToEnd:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        healed = _heal_all(keeping)
    return 0 if healed else 1


def _set_signals() -> None:
    def end(_number: int, _frame: object) -> None:
        raise _ToldToEnd

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def _serve(keeping: Keeping) -> None:
    """Take lines until the pipe closes; heal whenever the lease ends."""
    pending = b""
    while True:
        wait_s = None if keeping.ends_at is None else max(0.0, keeping.ends_at - time.monotonic())
        if not select.select([0], [], [], wait_s)[0]:
            if not _heal_once(keeping):
                keeping.lease(1.0)  # not healed: try again in a second
            continue
        if not (read := os.read(0, 65536)):
            return
        *lines, pending = (pending + read).split(b"\n")
        for line in lines:
            _answer(_take(keeping, line))


def _take(keeping: Keeping, line: bytes) -> dict[str, object]:
    try:
        message = json.loads(line)
        if "hold" in message:
            steps = tuple(step_from_json(step) for step in message["steps"])
            keeping.hold(str(message["hold"]), steps, float(message["lease_s"]))
        elif "release" in message:
            keeping.release(str(message["release"]))
        else:
            keeping.lease(float(message["renew"]))
    except (ValueError, KeyError, TypeError, OSError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"ok": True}


def _answer(message: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # control is gone; the end of its pipe says so next
        os.write(1, json.dumps(message).encode() + b"\n")


def _heal_once(keeping: Keeping) -> bool:
    """Heal what is held, the last held first; return whether nothing is left."""
    for fault_id in reversed(keeping.held()):
        if not [trouble for step in keeping.steps(fault_id) if (trouble := heal(step)) is not None]:
            keeping.release(fault_id)
    return not keeping.held()


def _heal_all(keeping: Keeping) -> bool:
    deadline = time.monotonic() + _TRY_FOR_S
    while not _heal_once(keeping):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    keeping.remove()
    return True


if __name__ == "__main__":
    sys.exit(main())
