"""`python -m harness.load`: a load worker, driven over its standard input (`harness.model.assignment`)."""

import locust  # noqa: F401, I001 - patches sockets and threads, which must come before everything else

import json
import os
import signal
import sys

import gevent

from harness.errors import ExitCode, HarnessError
from harness.load.orders import Orders
from harness.load.worker import Worker


class _Command:
    """One life of the process: orders in, events out."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._orders: Orders | None = None
        self._stopped = False

    def run(self) -> None:
        """Follow the orders to the end. Raises HarnessError."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's: it closes our input
        gevent.signal_handler(signal.SIGTERM, self._stop)
        self._orders = orders = Orders(self._stop)
        assignment = orders.assignment()
        if assignment is None or self._stopped:
            return
        self._worker = worker = Worker(assignment)
        _tell({"event": "ready"})
        go = None if self._stopped else orders.go()
        if go is None:
            worker.never_run()
        else:
            worker.run(go.zero_monotonic_ns)
        _tell({"event": "ended", "intended": worker.intended, "sent": worker.sent})

    def _stop(self) -> None:
        self._stopped = True
        if self._orders is not None:
            self._orders.call_off()
        if self._worker is not None:
            self._worker.stop()


def _tell(event: dict[str, str | int]) -> None:
    """Write one event. A conductor that is gone reads none, and the samples matter more."""
    try:
        os.write(1, json.dumps(event).encode() + b"\n")
    except OSError:
        return


def main() -> int:
    """Run the worker; return its exit code, with one clear line on standard error where it failed."""
    try:
        _Command().run()
    except HarnessError as error:
        os.write(2, f"harness.load: {error}\n".encode(errors="replace"))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a bug of ours is exit 5 and a line, never 1 and a traceback
        os.write(2, f"harness.load: {error!r}; this is a bug: please report it\n".encode(errors="replace"))
        return ExitCode.COULD_NOT_RUN
    return ExitCode.PASS


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # nothing is left to close, and native threads are still reading
