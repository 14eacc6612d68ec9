"""A Toxiproxy that is in place is found, and one through which nothing goes as it should is told before the first request."""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from harness.errors import StackError
from harness.target.external.links import find_link


@pytest.fixture(scope="module")
def toxiproxy() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "harness.faultproxy", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = f"http://{json.loads(process.stdout.readline())['api']}"
        proxy = {"name": "queue", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
        httpx.post(f"{url}/proxies", json=proxy, trust_env=False).raise_for_status()
        yield url
    finally:
        process.kill()
        process.communicate()


def test_a_proxy_in_place_is_a_link_where_it_listens(toxiproxy: str) -> None:
    link = find_link(toxiproxy, "queue", "links.queue", ())
    assert (link.name, link.proxy, link.toxiproxy_url) == ("links.queue", "queue", toxiproxy)
    assert link.listen.startswith("127.0.0.1:")


def test_a_proxy_that_is_not_there_is_told_by_its_name(toxiproxy: str) -> None:
    with pytest.raises(StackError, match=r"has no proxy 'quue' \(status 404\)"):
        find_link(toxiproxy, "quue", "links.queue", ())


def test_toxics_that_are_there_already_are_told_and_left_alone(toxiproxy: str) -> None:
    toxics = f"{toxiproxy}/proxies/queue/toxics"
    httpx.post(toxics, json={"name": "somebody-s", "type": "latency", "attributes": {"latency": 5}}, trust_env=False)
    with pytest.raises(StackError, match=r"has toxics in force \(somebody-s\) before anything was done(.|\n)*harness clean"):
        find_link(toxiproxy, "queue", "links.queue", ())
    assert [toxic["name"] for toxic in httpx.get(toxics, trust_env=False).json()] == ["somebody-s"]
    httpx.delete(f"{toxics}/somebody-s", trust_env=False)
    assert find_link(toxiproxy, "queue", "links.queue", ()).proxy == "queue"


def test_a_disabled_proxy_is_told(toxiproxy: str) -> None:
    httpx.post(f"{toxiproxy}/proxies/queue", json={"enabled": False}, trust_env=False)
    with pytest.raises(StackError, match="is disabled before anything was done"):
        find_link(toxiproxy, "queue", "links.queue", ())
    httpx.post(f"{toxiproxy}/proxies/queue", json={"enabled": True}, trust_env=False)
