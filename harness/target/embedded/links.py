"""The links of the stack: one proxy each at the fault proxy, made over Toxiproxy's HTTP API."""

import http.client
import json
from collections.abc import Mapping

from harness.errors import StackError
from harness.model.target import Link


def make_links(api: str, upstreams: Mapping[str, str]) -> dict[str, Link]:
    """Make a proxy for each link and return where each listens.

    api: `host:port` of the fault proxy. upstreams: link name to `host:port`. Raises StackError.
    """
    links: dict[str, Link] = {}
    for name, upstream in upstreams.items():
        proxy = {"name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": True}
        answer = _post(api, "/proxies", proxy, expect=201)
        listen = answer.get("listen")
        if not isinstance(listen, str):
            raise StackError(f"the fault proxy does not say where the link {name} listens")
        links[name] = Link(name=name, proxy=name, toxiproxy_url=f"http://{api}", listen=listen, upstream=upstream)
    return links


def _post(api: str, path: str, body: object, *, expect: int) -> Mapping[str, object]:
    host, _, port = api.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        data = response.read()
        answer = json.loads(data)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StackError(f"the fault proxy at {api} did not answer POST {path}: {error}") from error
    finally:
        connection.close()
    if response.status != expect or not isinstance(answer, dict):
        raise StackError(f"the fault proxy refused POST {path} with {response.status}: {data[:200]!r}")
    return answer
