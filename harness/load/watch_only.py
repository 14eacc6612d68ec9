"""Locust's web UI, to watch and nothing else, on 127.0.0.1."""

from typing import Any

from harness.errors import ConfigurationError

HOST = "127.0.0.1"
_CHANGING = ("/stop", "/stats/reset", "/swarm", "/user", "/login")
"""What Locust changes by GET too; a run is started and ended by the harness, never by a page."""


def serve_watch_only(environment: Any, port: int) -> None:
    """Serve Locust's pages. Raises ConfigurationError where the port is taken."""
    from flask import abort, request  # comes with Locust; only who watches pays for its import
    from gevent import socket

    try:
        with socket.create_server((HOST, port)):
            pass
    except OSError as error:
        raise ConfigurationError(f"--web: {HOST}:{port} cannot be used: {error.strerror}") from error
    web = environment.create_web_ui(host=HOST, port=port, delayed_start=True)

    def refuse_changes() -> None:
        if request.method not in ("GET", "HEAD") or request.path.rstrip("/") in _CHANGING:
            abort(403, "this page is for watching: the harness starts and ends its runs")

    web.app.before_request(refuse_changes)
    web.start()
