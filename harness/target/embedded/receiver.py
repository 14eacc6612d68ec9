"""A receiver of the service's webhooks: takes every answer, and writes a line for each delivery. Run as a script, by its path.

Arguments: host and port, by default any port of 127.0.0.1. It needs nothing but Python itself, so that it starts at once.
"""

import http.server
import json
import sys

_MOST_BYTES = 1 << 20


class Taking(http.server.BaseHTTPRequestHandler):
    """Says thank you."""

    def do_POST(self) -> None:
        """Take one delivery."""
        told = self.headers.get("content-length", "0")
        length = int(told) if told.isdigit() else 0
        self.rfile.read(min(length, _MOST_BYTES))
        say({"event": "delivered", "id": self.headers.get("webhook-id", "")})
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing beside the deliveries."""


def say(line: dict[str, str]) -> None:
    """Write a line at once."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serve until a signal."""
    host, port = sys.argv[1:] or ("127.0.0.1", "0")
    server = http.server.ThreadingHTTPServer((host, int(port)), Taking)
    say({"event": "ready", "listen": f"{host}:{server.server_port}"})
    server.serve_forever()


if __name__ == "__main__":
    main()
