"""A place where alerts arrive: POST /page, /slack, /email, /escalation; GET /received shows what came, newest last."""

import http.server
import json


class Sink(http.server.BaseHTTPRequestHandler):
    """Keeps the last thousand alerts in memory."""

    received: list[dict[str, object]] = []  # noqa: RUF012 - shared by every request on purpose

    def do_POST(self) -> None:
        """Take one notification."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            told = json.loads(body)
        except ValueError:
            told = {"text": body.decode(errors="replace")}
        names = [alert.get("labels", {}).get("alertname") for alert in told.get("alerts", [])]
        self.received.append({"receiver": self.path.strip("/"), "alerts": names})
        del self.received[:-1000]
        self._answer([])

    def do_GET(self) -> None:
        """Show them."""
        self._answer(self.received)

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Sink).serve_forever()  # noqa: S104 - published on 127.0.0.1 only
