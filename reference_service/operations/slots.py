"""Two slots of instances behind Caddy, and the file that says which share of the requests each gets.

Caddy reads the file with every request, so that shifting traffic never reloads it: a reload closes kept-alive
connections on which a request may just have been sent, see `docs/decisions/0110-traffic-is-shifted-by-a-file.md`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SLOTS = ("blue", "green")
_WHOLE = 0x10000
_ERRORS = {
    503: ("guard_unavailable", "guard_unavailable", "no instance of the service is ready"),
    504: ("upstream_timeout", "upstream_error", "the instance did not answer in time"),
    502: ("upstream_error", "upstream_error", "the instance broke off before it answered"),
}


@dataclass(frozen=True, slots=True)
class Shares:
    """The file that says how many percent of the requests go to the green slot; the rest goes to the blue one."""

    path: Path

    def write(self, green_percent: int) -> None:
        """Let the next request already be dealt so. Raises ValueError outside 0..100, OSError."""
        if not 0 <= green_percent <= 100:
            raise ValueError(f"{green_percent} % is not a share; use 0 to 100")
        new = self.path.with_suffix(".new")
        new.write_text(threshold_of(green_percent), encoding="ascii")
        new.replace(self.path)

    def read(self) -> int:
        """Return the percentage. Raises OSError, ValueError."""
        text = self.path.read_text(encoding="ascii")
        return 100 if text == "g" else round(int(text, 16) * 100 / _WHOLE)


def threshold_of(percent: int) -> str:
    """Return the text below which the first four hexadecimal digits of a random id stand in `percent` % of all cases."""
    return "g" if percent == 100 else f"{percent * _WHOLE // 100:04x}"


class BalancerConfiguration:
    """Caddy's configuration for one balancer."""

    def __init__(self, listen: str, slots: dict[str, Sequence[str]], shares: Path) -> None:
        self._listen = listen
        self._slots = slots
        self._shares = shares

    def document(self) -> dict[str, object]:
        """Return all of it."""
        chosen = f'{{http.request.uuid}}.substring(0, 4) < ph(req, "file.{self._shares}")'
        server = {
            "listen": [self._listen],
            "protocols": ["h1"],
            "enable_full_duplex": True,  # a refusal goes out though the body has not come in
            "read_header_timeout": "5s",  # as long as an instance waits for a body
            "automatic_https": {"disable": True},
            "routes": [
                {"match": [{"expression": chosen}], "handle": [self.proxy("green")], "terminal": True},
                {"handle": [self.proxy("blue")]},
            ],
            "errors": {"routes": self.error_routes()},
        }
        return {
            "admin": {"disabled": True, "config": {"persist": False}},
            "logging": {"logs": {"default": {"level": "WARN", "writer": {"output": "stderr"}}}},
            "apps": {"http": {"grace_period": "10s", "servers": {"front": server}}},
        }

    def proxy(self, slot: str) -> dict[str, object]:
        """Return the handler of one slot; an instance that is not ready gets nothing."""
        return {
            "handler": "reverse_proxy",
            "upstreams": [{"dial": address} for address in self._slots[slot]],
            "load_balancing": {"selection_policy": {"policy": "round_robin"}, **self.repeats()},
            "health_checks": {
                # Two in a row: one late answer of the only instance that is left must not take the whole service away.
                "active": {"uri": "/ready", "interval": "250ms", "timeout": "1s", "passes": 1, "fails": 2, "expect_status": 2}
            },
            "flush_interval": -1,  # each chunk of a stream goes on at once
            "transport": {
                "protocol": "http",
                "dial_timeout": "1s",
                "response_header_timeout": "8s",
                "compression": False,
                "keep_alive": {"idle_timeout": "30s"},  # below the 75 s after which an instance closes: no race for a request
            },
        }

    def repeats(self) -> dict[str, object]:
        """Return when a request is sent again: only where no instance has seen it, for a second POST is a second bill."""
        return {"retries": 1, "try_interval": "20ms"}

    def error_routes(self) -> list[dict[str, object]]:
        """Return the balancer's own answers, typed as the service's are."""
        return [_error_route(503), _error_route(504), _error_route(502, any_status=True)]


def _error_route(status: int, *, any_status: bool = False) -> dict[str, object]:
    code, kind, message = _ERRORS[status]
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    headers = {"Content-Type": ["application/json"], "X-Request-Id": ["{http.request.uuid}"], "X-Gateway-Provider": ["none"]}
    if status == 503:
        headers["Retry-After"] = ["1"]
    respond = {"handler": "static_response", "status_code": status, "headers": headers, "body": json.dumps(body)}
    route: dict[str, object] = {"handle": [respond], "terminal": True}
    if not any_status:
        route["match"] = [{"expression": f"{{http.error.status_code}} == {status}"}]
    return route
