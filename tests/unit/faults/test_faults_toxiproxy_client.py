"""One Toxiproxy, through the library, without its traps."""

import json

import httpx
import pytest
import respx
from toxiproxy.api import APIConsumer

from harness.errors import FaultError
from harness.faults.toxiproxy_client import RefusedError, Toxic, ToxiproxyClient

A = "http://127.0.0.1:8001"
B = "http://127.0.0.1:8002"
SLOW = Toxic(name="slow", kind="latency", stream="downstream", toxicity=0.5, attributes={"latency": 9})


@pytest.fixture
def api():
    with respx.mock(assert_all_called=False) as mock:
        yield mock


def refusal(status: int, text: str) -> httpx.Response:
    # As the real server has it: JSON under a content type that says text.
    body = json.dumps({"error": text, "status": status}) + "\n"
    return httpx.Response(status, text=body, headers={"content-type": "text/plain; charset=utf-8"})


def test_two_stacks_in_one_process_do_not_meet(api):
    first = api.post(f"{A}/proxies/redis/toxics").respond(json={})
    second = api.post(f"{B}/proxies/redis/toxics").respond(json={})
    one, two = ToxiproxyClient(A), ToxiproxyClient(B)
    one.add_toxic("redis", SLOW)
    assert (first.call_count, second.call_count) == (1, 0)
    two.add_toxic("redis", SLOW)
    assert (first.call_count, second.call_count) == (1, 1)
    assert (APIConsumer.host, APIConsumer.port) == ("127.0.0.1", 8474)


def test_a_toxic_is_sent_as_toxiproxy_wants_it(api):
    route = api.post(f"{A}/proxies/redis/toxics").respond(json={})
    ToxiproxyClient(A).add_toxic("redis", SLOW)
    assert json.loads(route.calls.last.request.content) == {
        "name": "slow",
        "type": "latency",
        "stream": "downstream",
        "toxicity": 0.5,
        "attributes": {"latency": 9},
    }


def test_a_toxiproxy_that_leaves_a_trigger_out_in_silence_does_not_keep_the_toxic(api):
    picky = Toxic(name="t", kind="latency", stream="downstream", toxicity=1.0, attributes={"latency": 9}, requests={"nth": 2})
    made = {"name": "t", "type": "latency", "stream": "downstream", "toxicity": 1.0, "attributes": {"latency": 9}}
    api.post(f"{A}/proxies/llm/toxics").respond(json=made)
    gone = api.delete(f"{A}/proxies/llm/toxics/t").respond(204)
    with pytest.raises(FaultError, match=r"cannot pick requests \(nth\)"):
        ToxiproxyClient(A).add_toxic("llm", picky)
    assert gone.called
    route = api.post(f"{B}/proxies/llm/toxics").respond(json=made | {"requests": {"nth": 2}})
    ToxiproxyClient(B).add_toxic("llm", picky)
    assert json.loads(route.calls.last.request.content)["requests"] == {"nth": 2}


def test_the_toxics_of_a_proxy_come_back_by_name_whatever_the_spelling_of_their_direction(api):
    listed = {"name": "slow", "type": "latency", "stream": "DownStream", "toxicity": 0.5, "attributes": {"latency": 9}}
    api.get(f"{A}/proxies/redis/toxics").respond(json=[listed])
    assert ToxiproxyClient(A).toxics("redis") == {"slow": SLOW}


def test_a_proxy_is_disabled_and_enabled(api):
    route = api.post(f"{A}/proxies/redis").respond(json={})
    client = ToxiproxyClient(A)
    client.set_enabled("redis", False)
    client.set_enabled("redis", True)
    assert [json.loads(call.request.content) for call in route.calls] == [{"enabled": False}, {"enabled": True}]


def test_whether_a_proxy_listens_is_told_and_a_missing_one_is_an_error(api):
    shown = {"name": "redis", "listen": "127.0.0.1:1", "upstream": "x:2", "enabled": False, "Logger": {}, "toxics": []}
    api.get(f"{A}/proxies").respond(json={"redis": shown})
    client = ToxiproxyClient(A)
    assert client.is_enabled("redis") is False
    with pytest.raises(FaultError, match="no proxy 'postgres'"):
        client.is_enabled("postgres")


def test_a_toxic_is_updated_which_the_library_cannot(api):
    route = api.post(f"{A}/proxies/redis/toxics/slow").respond(json={})
    ToxiproxyClient(A).update_toxic("redis", "slow", {"latency": 5}, toxicity=1.0)
    assert json.loads(route.calls.last.request.content) == {"attributes": {"latency": 5}, "toxicity": 1.0}


def test_a_toxic_that_is_gone_is_removed_already(api):
    api.delete(f"{A}/proxies/redis/toxics/slow").mock(return_value=refusal(404, "toxic not found"))
    ToxiproxyClient(A).remove_toxic("redis", "slow")


@pytest.mark.parametrize(
    ("status", "text"),
    [(400, "invalid toxic type"), (404, "proxy not found"), (409, "toxic already exists"), (500, "listen tcp: address in use")],
)
def test_a_refusal_is_told_with_the_servers_own_reason(api, status, text):
    api.post(f"{A}/proxies/redis/toxics").mock(return_value=refusal(status, text))
    with pytest.raises(RefusedError) as caught:
        ToxiproxyClient(A).add_toxic("redis", SLOW)
    assert caught.value.status == status
    assert text in str(caught.value)
    assert A in str(caught.value)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("garbage")]
)
def test_a_toxiproxy_that_is_gone_slow_or_somebody_else_is_a_fault_error(api, error):
    api.get(f"{A}/proxies/redis/toxics").mock(side_effect=error)
    with pytest.raises(FaultError, match="does not answer GET /proxies/redis/toxics"):
        ToxiproxyClient(A).toxics("redis")


def test_every_call_ends_in_time_and_no_proxy_of_the_environment_is_asked(api, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    route = api.get(f"{A}/proxies/redis/toxics").respond(json=[])
    ToxiproxyClient(A, timeout_s=0.5).toxics("redis")
    assert route.calls.last.request.extensions["timeout"] == {"connect": 0.5, "read": 0.5, "write": 0.5, "pool": 0.5}


def test_what_the_real_server_lacks_is_told_apart_from_trouble(api):
    api.put(f"{A}/lease").respond(404, text="404 page not found")
    api.delete(f"{A}/lease").respond(404, text="404 page not found")
    api.get(f"{A}/acted").respond(404, text="404 page not found")
    client = ToxiproxyClient(A)
    assert client.renew_lease(10) is False
    client.end_lease()
    assert client.acted("redis") is None


def test_the_accounts_of_one_proxy_are_read_by_toxic(api):
    api.get(f"{A}/acted").respond(json={"redis": {"slow": {"connections": 3, "bytes": 99}}, "other": {}})
    client = ToxiproxyClient(A)
    assert client.acted("redis") == {"slow": 3}
    assert client.acted("postgres") == {}


def test_the_lease_is_renewed_in_seconds(api):
    route = api.put(f"{A}/lease").respond(json={"seconds": 10})
    assert ToxiproxyClient(A).renew_lease(10) is True
    assert json.loads(route.calls.last.request.content) == {"seconds": 10}


def test_a_name_with_odd_characters_stays_one_part_of_the_path(api):
    route = api.delete(url__regex=r".*").respond(204)
    ToxiproxyClient(A).remove_toxic("a b", "x?y")
    assert route.calls.last.request.url.raw_path == b"/proxies/a%20b/toxics/x%3Fy"
