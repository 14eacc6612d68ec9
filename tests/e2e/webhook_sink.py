"""A webhook receiver that counts what it is sent, and what effect that has."""

import base64
import hmac
import http.server
import threading
from collections import Counter
from hashlib import sha256
from typing import Any

SECRET = "whsec-of-the-tests"


class Sink(http.server.ThreadingHTTPServer):
    """A webhook receiver as ours should be: it keeps the ids it has seen, so each has one effect."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.bodies: dict[str, set[bytes]] = {}
        self.effects: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self.unsigned = 0
        self.refuse = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Taking(http.server.BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        name, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        right = base64.b64encode(hmac.new(SECRET.encode(), f"{name}.{at}.".encode() + body, sha256).digest()).decode()
        with self.server.lock:
            self.server.deliveries[name] += 1
            self.server.unsigned += self.headers["webhook-signature"] != f"v1,{right}"
            refused = self.server.refuse > 0
            self.server.refuse -= refused
            if not refused:
                if name not in self.server.bodies:
                    self.server.effects[name] += 1
                self.server.bodies.setdefault(name, set()).add(body)
        self.send_response(503 if refused else 204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
