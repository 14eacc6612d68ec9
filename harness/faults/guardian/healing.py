"""Does undo steps, from whatever process is left to do them."""

import http.client
import signal
import urllib.parse
from pathlib import Path

from harness.errors import FaultError
from harness.faults.guardian.undo import (
    CommandStep,
    ContainerStep,
    DatabaseStep,
    FileStep,
    HttpStep,
    LimitStep,
    ResumeStep,
    StoreStep,
    UndoStep,
)
from harness.faults.procfs import Bound, below, is_stopped, lives, send
from harness.faults.whole_file import write_whole

_TIMEOUT_S = 1.0


def heal(step: UndoStep) -> str | None:
    """Do one step; return why it could not be done, as what a person does instead, or None."""
    match step:
        case HttpStep():
            return _call(step)
        case ResumeStep():
            return _resume(step)
        case ContainerStep():
            from harness.faults.container_undo import bring_back  # the guardian of other targets never needs it

            return bring_back(step)
        case StoreStep():
            from harness.faults.dependency_undo import heal_store

            return heal_store(step)
        case DatabaseStep():
            from harness.faults.dependency_undo import heal_database

            return heal_database(step)
        case LimitStep():
            from harness.faults.limits import restore

            return restore(step)
        case FileStep():
            return _write(step)
        case CommandStep():
            return _run(step)


def _call(step: HttpStep) -> str | None:
    parts = urllib.parse.urlsplit(step.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_TIMEOUT_S)
    try:
        headers = {"Content-Type": "application/json"} if step.body is not None else {}
        connection.request(step.method, f"{parts.path}?{parts.query}" if parts.query else parts.path, step.body, headers)
        status = connection.getresponse().status
    except ConnectionRefusedError:
        return None  # nobody is there any more, and what it held in force is gone with it
    except (OSError, http.client.HTTPException) as error:
        return f"{step.method} {step.url} got no answer ({error or type(error).__name__})"
    finally:
        connection.close()
    return None if status < 400 or status == 404 else f"{step.method} {step.url} was answered {status}"


def _resume(step: ResumeStep) -> str | None:
    root = Bound(pid=step.pid, start_ticks=step.start_ticks)
    if not lives(root):
        return None
    for part in (root, *below(root)):
        try:
            send(part, signal.SIGCONT)
        except FaultError as error:
            if lives(part) and is_stopped(part):
                return f"kill -CONT {part.pid} ({error.message})"
    return None


def _write(step: FileStep) -> str | None:
    try:
        write_whole(Path(step.path), step.text)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"write {step.text!r} to {step.path} ({error.strerror})"
    return None


def _run(step: CommandStep) -> str | None:
    from harness.faults.command import run

    try:
        code, _ = run(step.command, step.within_s)
    except FaultError as error:
        return f"run the clearing command {step.command[0]!r} ({error.message})"
    return None if code == 0 else f"run the clearing command {step.command[0]!r}, which ended with {code}"
