"""The links of the stack: one proxy each at the fault proxy, made over Toxiproxy's HTTP API."""

import http.client
import json
from collections.abc import Callable, Mapping

from harness.errors import StackError
from harness.model.target import Link

_ATTEMPTS = 5


def make_links(api: str, upstreams: Mapping[str, str], free_port: Callable[[], int]) -> dict[str, Link]:
    """Make a proxy for each link and return where each listens.

    api: `host:port` of the fault proxy. upstreams: link name to `host:port`.
    free_port: a port outside the range that the kernel deals out: a link that is down listens nowhere, and must find
    its port free when it comes back. Raises StackError.
    """
    links: dict[str, Link] = {}
    for name, upstream in upstreams.items():
        listen = _listening(api, name, upstream, free_port)
        links[name] = Link(name=name, proxy=name, toxiproxy_url=f"http://{api}", listen=listen, upstream=upstream)
    return links


def _listening(api: str, name: str, upstream: str, free_port: Callable[[], int]) -> str:
    """Make one proxy, on another port where somebody was faster; return where it listens."""
    for attempt in range(1, _ATTEMPTS + 1):
        proxy = {"name": name, "listen": f"127.0.0.1:{free_port()}", "upstream": upstream, "enabled": True}
        try:
            answer = _post(api, "/proxies", proxy, expect=201)
        except _RefusedError:
            if attempt == _ATTEMPTS:
                raise
            continue
        listen = answer.get("listen")
        if not isinstance(listen, str):
            raise StackError(f"the fault proxy does not say where the link {name} listens")
        return listen
    raise AssertionError("unreachable: the last attempt returns or raises")


class _RefusedError(StackError):
    """The fault proxy answered, and said no."""


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
        raise _RefusedError(f"the fault proxy refused POST {path} with {response.status}: {data[:200]!r}")
    return answer
