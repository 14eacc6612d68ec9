"""The control port: faults in, records and meter out. Never on a port that the service calls."""

import time
from collections.abc import Callable
from urllib.parse import parse_qs

import msgspec

from harness.provider.faults.checking import RejectedError
from harness.provider.framing import head
from harness.provider.records import DroppedError
from harness.provider.state import State
from harness.provider.wire import Connection, Request

Query = dict[str, str]
MAX_LEASE_S = 86_400


class ControlError(Exception):
    """A request that is answered with an error status."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message


class Control:
    """Answers `/health`, `/calls`, `/meter`, `/reset`, `/faults` and `/lease`, at once and in JSON."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._began_ns = time.monotonic_ns()
        self._routes: dict[tuple[str, str], Callable[[Request, Query], object]] = {
            ("GET", "/health"): self._health,
            ("GET", "/meter"): lambda _request, _query: state.meter.lines(),
            ("POST", "/reset"): self._reset,
            ("GET", "/faults"): self._faults,
            ("PUT", "/faults"): self._set_fault,
            ("DELETE", "/faults"): self._clear_faults,
            ("PUT", "/lease"): self._lease,
            ("DELETE", "/lease"): self._end_lease,
        }

    def serve(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        headers = [("content-type", "application/json")]
        status_code = 200
        query = {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
        try:
            if (request.method, request.path) == ("GET", "/calls"):
                body, following = self._state.log.after(_whole_number(query.get("after", "0"), "after"))
                headers.append(("x-next", str(following)))
            else:
                body = msgspec.json.encode(self._route(request)(request, query))
        except ControlError as error:
            status_code, body = error.status_code, msgspec.json.encode({"error": error.message})
        except RejectedError as error:
            status_code, body = 400, msgspec.json.encode({"error": str(error)})
        except DroppedError as error:
            status_code, body = 410, msgspec.json.encode({"error": str(error), "first": error.first})
        connection.send(head(status_code, headers, len(body)) + body)
        connection.done(keep_alive=request.keep_alive)

    def _route(self, request: Request) -> Callable[[Request, Query], object]:
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return route
        methods = sorted(method for method, path in self._routes if path == request.path)
        if request.path == "/calls":
            methods = ["GET"]
        if methods:
            raise ControlError(405, f"{request.method} {request.path} is not allowed; allowed: {', '.join(methods)}")
        paths = sorted({path for _, path in self._routes} | {"/calls"})
        raise ControlError(404, f"there is nothing at {request.path:.200}; allowed: {', '.join(paths)}")

    def _health(self, _request: Request, _query: Query) -> object:
        return {
            "status": "ok",
            "uptime_s": (time.monotonic_ns() - self._began_ns) / 1e9,
            "active": self._state.active,
            "calls": len(self._state.log),
            "faults": len(self._state.board.in_force()),
            "late_max_ms": self._state.pacer.late_max_ns / 1e6,
        }

    def _reset(self, _request: Request, _query: Query) -> object:
        self._state.reset()
        return {"reset": True}

    def _faults(self, _request: Request, query: Query) -> object:
        return self._state.board.cleared() if query.get("cleared", "0") not in ("0", "") else self._state.board.in_force()

    def _set_fault(self, request: Request, _query: Query) -> object:
        return self._state.board.set(_object(request.body), time.monotonic_ns())

    def _clear_faults(self, _request: Request, query: Query) -> object:
        try:
            return self._state.board.clear(query.get("id"))
        except KeyError:
            raise ControlError(404, f"no fault {query['id']!r:.200} is in force") from None

    def _lease(self, request: Request, _query: Query) -> object:
        seconds = _object(request.body).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_LEASE_S:
            raise ControlError(400, f"seconds is {seconds!r:.80}; allowed: a number above 0, to {MAX_LEASE_S}")
        self._state.board.lease(seconds)
        return {"seconds": seconds}

    def _end_lease(self, _request: Request, _query: Query) -> object:
        self._state.board.end_lease()
        return {"seconds": None}


def _object(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(400, f"the body does not fit: {error}; allowed: a JSON object") from error


def _whole_number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ControlError(400, f"{name} is {text!r:.80}; allowed: a whole number from 0")
    return int(text)
