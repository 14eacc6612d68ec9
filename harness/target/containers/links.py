"""The links of the stack: one proxy each at the real Toxiproxy, on ports that it publishes."""

import http.client
import json
import time
from collections.abc import Mapping

from harness.errors import StackError
from harness.model.target import Link

INSIDE = {"provider.primary": 8001, "provider.secondary": 8002, "links.postgres": 5432, "links.redis": 6379}
"""The port of each link in the Toxiproxy's network: what service and worker connect to."""
UPSTREAMS = {
    "provider.primary": "provider:8001",
    "provider.secondary": "provider:8002",
    "links.postgres": "postgres:5432",
    "links.redis": "redis:6379",
}
API = 8474


def make_links(api: str, published: Mapping[str, str]) -> dict[str, Link]:
    """Make a proxy for each link; return the links as this host reaches them.

    api: `host:port` of the Toxiproxy, published. published: link to `host:port` of its published port. Raises StackError.
    """
    links = {}
    for name, port in INSIDE.items():
        _make(api, {"name": name, "listen": f"0.0.0.0:{port}", "upstream": UPSTREAMS[name], "enabled": True})
        links[name] = Link(name=name, proxy=name, toxiproxy_url=f"http://{api}", listen=published[name], upstream=UPSTREAMS[name])
    return links


def _make(api: str, proxy: Mapping[str, object]) -> None:
    for attempt in range(5):
        status, text = _post(api, proxy)
        if status == 201:
            return
        if attempt == 4:
            raise StackError(f"the Toxiproxy at {api} refused to make {proxy['name']}: {status} {text}")
        time.sleep(0.1)


def _post(api: str, body: object) -> tuple[int, str]:
    host, _, port = api.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
    try:
        connection.request("POST", "/proxies", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()[:200].decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()
