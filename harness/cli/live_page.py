"""The live view as a page on 127.0.0.1: the terminal's figures, streamed, and orders to the run.

Whoever has the token may look and give orders; it is in the address that is printed, and nowhere else. The page puts text with
`textContent` only, and its policy names its one script and sheet by their digests.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness.cli.live_figures import LiveFigures
from harness.cli.live_screen import figure_rows
from harness.cli.live_text import place, told
from harness.errors import HarnessError
from harness.model.journal import JournalEntry
from harness.report import visible

_MOST_TOLD = 60
_ALIVE_EVERY_S = 5.0
_MOST_ORDER_BYTES = 4096
_ORDERS = frozenset({"clear", "halt"})

Order = Callable[[Mapping[str, object]], object]
"""Gives an order to the run, in the words of `harness.run.hand`; raises HarnessError."""


class LivePage:
    """Serves what `take` was last given. address: what people open, with the token. Close it when the run is over."""

    def __init__(self, order: Order, *, port: int = 0) -> None:
        self._order = order
        self._token = secrets.token_urlsafe(24)
        self._changed = threading.Condition()
        self._state: dict[str, Any] = {
            "title": "starting",
            "place": "",
            "done": 0,
            "rows": [],
            "faults": [],
            "journal": [],
            "over": False,
        }
        self._version = 0
        self._told: deque[str] = deque(maxlen=_MOST_TOLD)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="live-page", daemon=True).start()

    @property
    def address(self) -> str:
        """Return the page's address; whoever has it may give orders."""
        return f"http://127.0.0.1:{self._server.server_port}/?token={self._token}"

    def take(self, figures: LiveFigures, now_ns: int | None, entries: list[JournalEntry]) -> None:
        """Show a new state of the run."""
        self._told.extendleft(text for entry in entries if (text := told(entry, figures)) is not None)
        end_ns = figures.plan.end_ns
        state = {
            "title": visible(figures.plan.scenario.title, longest=100),
            "place": "starting the target" if now_ns is None else place(figures, now_ns),
            "done": 0 if now_ns is None else min(max(now_ns / end_ns, 0), 1),
            "rows": [list(row) for row in figure_rows(figures)],
            "faults": [[i, visible(f"{figures.fault_name(i)}: {state}", longest=120)] for i, state in figures.faults.items()],
            "journal": list(self._told),
            "over": False,
        }
        self._publish(state)

    def close(self) -> None:
        """Tell the pages that the run is over, and serve no more. May be called twice."""
        self._publish({**self._state, "over": True, "faults": []})
        self._server.shutdown()
        self._server.server_close()

    def _publish(self, state: dict[str, Any]) -> None:
        with self._changed:
            if state != self._state:
                self._state = state
                self._version += 1
                self._changed.notify_all()

    # -- for the handler ------------------------------------------------------------------------------------------------

    def may(self, query: str, host: str | None, origin: str | None) -> bool:
        """Return whether a request has the token and was made to this very address: not by another page or name."""
        own = f"127.0.0.1:{self._server.server_port}"
        given = parse_qs(query).get("token", [""])[0]
        same = hmac.compare_digest(given.encode(), self._token.encode())
        return same and host == own and origin in (None, f"http://{own}")

    def next_state(self, seen: int) -> tuple[int, str | None, bool]:
        """Wait for a state after `seen`: its number, its JSON (None: none yet), and whether it is the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen, timeout=_ALIVE_EVERY_S)
            if self._version == seen:
                return seen, None, False
            return self._version, json.dumps(self._state), bool(self._state["over"])

    def obey(self, body: bytes) -> tuple[int, dict[str, str]]:
        """Return the status and the answer of an order."""
        try:
            order = json.loads(body)
            if not isinstance(order, dict) or order.get("do") not in _ORDERS:
                return 400, {"error": f"an order is one of {', '.join(sorted(_ORDERS))}"}
            done = self._order(order)
        except ValueError:
            return 400, {"error": "not JSON"}
        except HarnessError as error:
            return 409, {"error": visible(error.message)}
        cleared = ", ".join(str(each) for each in done) if isinstance(done, list) else ""
        return 200, {"done": f"cleared: {visible(cleared)}" if order["do"] == "clear" else "the run is told to end"}


def page() -> str:
    """Return the page: one file, whose policy lets nothing run but its own script."""
    folder = resources.files("harness.cli").joinpath("pages")
    html, style, script = (folder.joinpath(f"live.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
    return html.replace("{{POLICY}}", policy).replace("{{STYLE}}", style).replace("{{SCRIPT}}", script)


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _handler(live: LivePage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 60

        def do_GET(self) -> None:
            if not self._may():
                return
            path = urlsplit(self.path).path
            if path == "/":
                self._answer(200, page().encode(), "text/html; charset=utf-8")
            elif path == "/events":
                self._stream()
            else:
                self._answer(404, b"not found", "text/plain")

        def do_POST(self) -> None:
            if not self._may():
                return
            length = self.headers.get("content-length", "")
            if urlsplit(self.path).path != "/order" or not length.isdigit() or int(length) > _MOST_ORDER_BYTES:
                self._answer(400, b"not an order", "text/plain")
                return
            status, answer = live.obey(self.rfile.read(int(length)))
            self._answer(status, json.dumps(answer).encode(), "application/json")

        def _may(self) -> bool:
            if live.may(urlsplit(self.path).query, self.headers.get("host"), self.headers.get("origin")):
                return True
            self._answer(403, b"open the address that the run has printed, token and all", "text/plain")
            return False

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self._send_common()
            self.end_headers()
            seen, last = -1, False
            try:
                while not last:
                    seen, state, last = live.next_state(seen)
                    self.wfile.write(b": alive\n\n" if state is None else f"data: {state}\n\n".encode())
                    self.wfile.flush()
            except OSError:
                return  # the page was closed

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self._send_common()
            self.end_headers()
            self.wfile.write(body)

        def _send_common(self) -> None:
            self.send_header("cache-control", "no-store")
            self.send_header("x-content-type-options", "nosniff")
            self.send_header("x-frame-options", "DENY")

        def log_message(self, *_: object) -> None:
            return  # the token is in the path

    return Handler
