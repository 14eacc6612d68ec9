"""A small service to point a locustfile at: it logs users in, and passes chats on to its model. Standard library only.

python service.py PORT        MODEL_URL is where its model is: http://HOST:PORT/v1
"""

import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKENS = set()


class Service(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        """Say that it lives."""
        self.reply(200 if self.path == "/health" else 404, {"path": self.path})

    def do_POST(self):
        """Log in, or chat."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/login":
            token = secrets.token_hex(8)
            TOKENS.add(token)
            return self.reply(200, {"token": token})
        if self.path != "/v1/chat/completions":
            return self.reply(404, {"error": {"code": "not_found"}})
        if self.headers.get("authorization", "").removeprefix("Bearer ") not in TOKENS:
            return self.reply(401, {"error": {"code": "who_are_you"}})
        head = {"content-type": "application/json", "authorization": "Bearer model-key"}
        head["x-request-id"] = self.headers.get("x-request-id", "")
        request = urllib.request.Request(f"{os.environ['MODEL_URL']}/chat/completions", body, head)  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own
                self.pass_on(answer)
        except (urllib.error.URLError, OSError):
            self.reply(502, {"error": {"code": "model_unavailable"}})
        return None

    def pass_on(self, answer):
        """Send the model's answer, each piece when it comes."""
        self.send_response(200)
        self.send_header("content-type", answer.headers["content-type"])
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while piece := answer.read1(65536):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def reply(self, status, body):
        """Send JSON."""
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
