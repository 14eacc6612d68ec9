"""`python -m reference_service.serve`: one instance of the service.

Prints `{"event":"ready","listen":"host:port"}` once it listens. SIGTERM drains: readiness says 503, what is in flight
is finished, the ledger is flushed, and the process exits with 0 within five seconds.
"""

import gc
import json
import os
import socket
import sys
import time
from email.utils import formatdate
from types import FrameType

import uvicorn

from reference_service.app import build_app
from reference_service.clock import wall_s
from reference_service.errors import SettingsError
from reference_service.health import Drain
from reference_service.pipeline import build_pipeline
from reference_service.resources import build_resources
from reference_service.settings import Settings

NEEDS = ("database_url", "store_url", "provider_primary_url")


class DrainingServer(uvicorn.Server):
    """A server that says it is leaving before it leaves."""

    def __init__(self, config: uvicorn.Config, drain: Drain, grace_s: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._grace_s = grace_s
        self._exit_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; a second signal skips the wait."""
        del sig, frame
        self.should_exit = self._drain.draining
        self._drain.draining = True
        self._exit_at = time.monotonic() + self._grace_s

    async def on_tick(self, counter: int) -> bool:
        """Return whether it is time to stop listening; answers carry the date of this process's own clock."""
        if self._exit_at is not None and time.monotonic() >= self._exit_at:
            self.should_exit = True
        leave = await super().on_tick(counter)
        self.server_state.default_headers = [(b"date", formatdate(wall_s(), usegmt=True).encode())]
        return leave

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where."""
        await super().startup(sockets)
        # What was imported stays: to look through all of it again is a pause of tens of milliseconds for every user.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)
        host, port = (sockets or [])[0].getsockname()[:2]
        sys.stdout.write(json.dumps({"event": "ready", "listen": f"{host}:{port}"}) + "\n")
        sys.stdout.flush()


def listening_socket(listen: str) -> socket.socket:
    """Return a bound socket. Raises SettingsError where the address cannot be had."""
    host, _, port = listen.rpartition(":")
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host.strip("[]"), int(port)))
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"SERVICE_LISTEN={listen}: {error.strerror or error}; choose another port, or 0 for a free one"
        ) from error
    return sock


def run(settings: Settings) -> None:
    """Serve until a signal."""
    resources = build_resources(settings)
    drain = Drain()
    app = build_app(resources, build_pipeline(resources), drain)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # nothing here asks for a client's address
        timeout_graceful_shutdown=max(1, int(settings.drain_s)),
        timeout_keep_alive=75,
        backlog=2048,
    )
    sock = listening_socket(settings.listen)
    DrainingServer(config, drain, settings.drain_grace_s).run(sockets=[sock])


def main() -> int:
    """Run the program; 2 for settings that cannot be used."""
    try:
        run(Settings.from_environment(os.environ, needs=NEEDS))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
