"""The API, call by call: statuses, bodies, defaults and names."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Return status and message of an error body, which is JSON under a text type."""
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    body = answer.json()
    assert answer.text.endswith("\n")
    assert body["status"] == answer.status_code
    return body["status"], body["error"]


def test_version_is_told_and_every_matched_route_has_a_request_id(server: Any) -> None:
    answer = server.call("GET", "/version")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["version"].startswith("2.")
    assert answer.headers["x-toxiproxy-request-id"]


@pytest.mark.parametrize("path", ["/", "/nix", "/proxies/", "/version/", "/proxies/p/toxics/", "/metrics"])
def test_an_unknown_path_is_404_page_not_found(server: Any, path: str) -> None:
    answer = server.call("GET", path)
    assert (answer.status_code, answer.text.strip()) == (404, "404 page not found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/proxies"),
        ("DELETE", "/proxies"),
        ("POST", "/version"),
        ("GET", "/reset"),
        ("GET", "/populate"),
        ("PUT", "/proxies/x"),
    ],
)
def test_a_wrong_method_is_405_without_a_body(server: Any, method: str, path: str) -> None:
    answer = server.call(method, path)
    assert (answer.status_code, answer.content) == (405, b"")


def test_a_browser_is_refused(server: Any) -> None:
    answer = server.call("GET", "/version", headers={"User-Agent": "Mozilla/5.0"})
    assert (answer.status_code, answer.text.strip()) == (403, "User agent not allowed")


def test_a_proxy_is_created_with_its_resolved_address(server: Any, echo: Any) -> None:
    answer = server.call("POST", "/proxies", {"name": "a", "listen": "localhost:0", "upstream": echo.address, "more": 1})
    assert answer.status_code == 201
    listen = answer.json().pop("listen")
    assert listen.startswith("127.0.0.1:")
    assert not listen.endswith(":0")
    assert answer.json() == {
        "name": "a", "listen": listen, "upstream": echo.address, "enabled": True, "Logger": {}, "toxics": [],
    }  # fmt: skip
    assert server.call("GET", "/proxies").json() == {"a": answer.json()}
    assert server.call("GET", "/proxies/a").json() == answer.json()


def test_a_disabled_proxy_echoes_the_address_as_given(server: Any) -> None:
    proxy = server.proxy("127.0.0.1:9", listen="localhost:0", enabled=False)
    assert server.call("GET", f"/proxies/{proxy.name}").json()["listen"] == "localhost:0"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "bad request body: "),
        (b"{", "bad request body: "),
        (b"[]", "bad request body: "),
        (b'{"name": 1, "upstream": "a:1"}', "bad request body: "),
        (b'{"name": "a", "upstream": "a:1", "enabled": "yes"}', "bad request body: "),
        (b"{}", "missing required field: name"),
        (b'{"upstream": "a:1"}', "missing required field: name"),
        (b'{"name": "a"}', "missing required field: upstream"),
        (b'{"name": "a", "upstream": ""}', "missing required field: upstream"),
    ],
)
def test_a_bad_proxy_is_400_and_says_what_is_missing(server: Any, body: bytes, message: str) -> None:
    status, error = refusal(server.call("POST", "/proxies", body))
    assert status == 400
    assert error.startswith(message)
    assert server.call("GET", "/proxies").json() == {}


def test_field_names_match_without_case_and_null_keeps_the_default(server: Any, echo: Any) -> None:
    answer = server.call("POST", "/proxies", {"NAME": "a", "Listen": "127.0.0.1:0", "upStream": echo.address, "enabled": None})
    assert answer.status_code == 201
    assert answer.json()["enabled"] is True


def test_a_taken_name_is_409(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    again = {"name": proxy.name, "listen": "127.0.0.1:0", "upstream": echo.address}
    assert refusal(server.call("POST", "/proxies", again)) == (409, "proxy already exists")


def test_a_taken_port_is_500_and_creates_nothing(server: Any, echo: Any) -> None:
    status, error = refusal(server.call("POST", "/proxies", {"name": "a", "listen": echo.address, "upstream": "127.0.0.1:9"}))
    assert (status, error) == (500, f"listen tcp {echo.address}: bind: address already in use")
    assert server.call("GET", "/proxies").json() == {}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_unknown_proxy_is_404(server: Any, method: str) -> None:
    assert refusal(server.call(method, "/proxies/nix", b"{}")) == (404, "proxy not found")


def test_a_deleted_proxy_is_gone_and_its_port_refuses(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    answer = server.call("DELETE", f"/proxies/{proxy.name}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert server.call("GET", "/proxies").json() == {}
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_update_changes_what_is_given_and_ignores_the_name(server: Any, echo: Any, method: str) -> None:
    proxy = server.proxy("127.0.0.1:9")
    answer = server.call(method, f"/proxies/{proxy.name}", {"name": "other", "upstream": echo.address})
    assert answer.status_code == 200
    assert answer.json() == {
        "name": proxy.name, "listen": proxy.listen, "upstream": echo.address, "enabled": True, "Logger": {}, "toxics": [],
    }  # fmt: skip


def test_an_update_to_an_address_without_a_port_is_500(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    status, error = refusal(proxy.update(listen="localhost"))
    assert (status, error) == (500, "address localhost: missing port in address")


def test_populate_creates_and_leaves_what_is_the_same(server: Any, echo: Any) -> None:
    first = server.call("POST", "/populate", [{"name": "a", "listen": "127.0.0.1:0", "upstream": echo.address}])
    assert first.status_code == 201
    made = first.json()["proxies"][0]
    server.call("POST", "/proxies/a", {"enabled": False})
    again = server.call("POST", "/populate", [{"name": "a", "listen": made["listen"], "upstream": echo.address}])
    assert again.json()["proxies"][0]["enabled"] is False
    assert server.call("POST", "/populate", []).json() == {"proxies": None}


def test_populate_replaces_a_proxy_with_another_upstream(server: Any, echo: Any) -> None:
    proxy = server.proxy("127.0.0.1:9")
    proxy.toxic("latency", latency=1)
    answer = server.call("POST", "/populate", [{"name": proxy.name, "listen": proxy.listen, "upstream": echo.address}])
    assert answer.status_code == 201, answer.text
    assert answer.json()["proxies"][0]["upstream"] == echo.address
    assert answer.json()["proxies"][0]["toxics"] == []


def test_populate_checks_every_entry_before_it_creates_one(server: Any) -> None:
    answer = server.call(
        "POST", "/populate", [{"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}, {"upstream": "x:1"}]
    )
    assert answer.status_code == 400
    assert answer.json()["error"] == "missing required field: name at proxy 2"
    assert server.call("GET", "/proxies").json() == {}


def test_populate_keeps_what_came_before_a_port_that_is_taken(server: Any, echo: Any) -> None:
    answer = server.call(
        "POST",
        "/populate",
        [
            {"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"},
            {"name": "b", "listen": echo.address, "upstream": "127.0.0.1:9"},
        ],
    )
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"] == f"listen tcp {echo.address}: bind: address already in use"
    assert [proxy["name"] for proxy in answer.json()["proxies"]] == ["a"]
    assert set(server.call("GET", "/proxies").json()) == {"a"}


def test_a_toxic_has_defaults(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    answer = server.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "latency"})
    assert answer.status_code == 200
    expected = {
        "attributes": {"latency": 0, "jitter": 0}, "name": "latency_downstream", "type": "latency", "stream": "downstream", "toxicity": 1,
    }  # fmt: skip
    assert answer.json() == expected
    assert server.call("GET", f"/proxies/{proxy.name}/toxics").json() == [expected]
    assert server.call("GET", f"/proxies/{proxy.name}/toxics/latency_downstream").json() == expected
    assert server.call("GET", f"/proxies/{proxy.name}").json()["toxics"] == [expected]


@pytest.mark.parametrize("type_", ["latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data", "noop"])
def test_every_toxic_can_be_created_without_attributes(server: Any, echo: Any, type_: str) -> None:
    proxy = server.proxy(echo)
    assert proxy.toxic(type_, stream="upstream") == f"{type_}_upstream"


def test_the_stream_is_read_without_case_and_echoed_as_given(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    answer = server.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "noop", "stream": "UpStream"})
    assert (answer.status_code, answer.json()["stream"], answer.json()["name"]) == (200, "UpStream", "noop_UpStream")


def test_toxics_are_listed_upstream_chain_first(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    for type_, stream in (("latency", "downstream"), ("noop", "upstream"), ("noop", "downstream"), ("latency", "upstream")):
        proxy.toxic(type_, stream=stream)
    names = [toxic["name"] for toxic in server.call("GET", f"/proxies/{proxy.name}/toxics").json()]
    assert names == ["noop_upstream", "latency_upstream", "latency_downstream", "noop_downstream"]


STREAM = "stream was invalid, can be either upstream or downstream"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "bad request body: "),
        (b"[]", 400, "bad request body: "),
        (b'{"type": "nix", "stream": "sideways"}', 400, STREAM),
        (b'{"type": "nix"}', 400, "invalid toxic type"),
        (b"{}", 400, "invalid toxic type"),
        (b'{"type": "nix", "name": "taken"}', 400, "invalid toxic type"),
        (b'{"type": "latency", "name": "taken"}', 409, "toxic already exists"),
        (
            b'{"type": "latency", "name": "taken", "stream": "upstream", "attributes": {"latency": "x"}}',
            409,
            "toxic already exists",
        ),
        (b'{"type": "latency", "attributes": {"latency": 1.5}}', 400, "bad request body: "),
        (b'{"type": "latency", "attributes": {"latency": "100"}}', 400, "bad request body: "),
        (b'{"type": "latency", "toxicity": "1"}', 400, "bad request body: "),
    ],
)
def test_a_bad_toxic_is_refused_by_the_first_check_that_fails(
    server: Any, echo: Any, body: bytes, status: int, message: str
) -> None:
    proxy = server.proxy(echo)
    server.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "noop", "name": "taken"})
    seen, error = refusal(server.call("POST", f"/proxies/{proxy.name}/toxics", body))
    assert seen == status
    assert error.startswith(message)
    assert [toxic["name"] for toxic in server.call("GET", f"/proxies/{proxy.name}/toxics").json()] == ["taken"]


def test_a_toxic_on_an_unknown_proxy_is_404_before_its_body_is_read(server: Any) -> None:
    assert refusal(server.call("POST", "/proxies/nix/toxics", b"{")) == (404, "proxy not found")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_edit_merges_attributes_and_leaves_the_rest(server: Any, echo: Any, method: str) -> None:
    proxy = server.proxy(echo)
    name = proxy.toxic("latency", latency=10, jitter=5)
    body = {"attributes": {"latency": 20}, "toxicity": 0.5, "stream": "upstream", "type": "noop", "name": "x"}
    answer = server.call(method, f"/proxies/{proxy.name}/toxics/{name}", body)
    assert answer.status_code == 200
    assert answer.json() == {
        "attributes": {"latency": 20, "jitter": 5}, "name": name, "type": "latency", "stream": "downstream", "toxicity": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_unknown_toxic_is_404(server: Any, echo: Any, method: str) -> None:
    proxy = server.proxy(echo)
    assert refusal(server.call(method, f"/proxies/{proxy.name}/toxics/nix", b"{}")) == (404, "toxic not found")


def test_a_removed_toxic_is_gone(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)
    proxy.remove(proxy.toxic("latency"))
    assert server.call("GET", f"/proxies/{proxy.name}/toxics").json() == []


def test_reset_removes_every_toxic_and_enables_every_proxy(server: Any, echo: Any) -> None:
    one, two = server.proxy(echo), server.proxy(echo)
    one.toxic("latency", latency=1000)
    two.toxic("noop", stream="upstream")
    two.update(enabled=False)
    answer = server.call("POST", "/reset")
    assert (answer.status_code, answer.content) == (204, b"")
    assert [(proxy["enabled"], proxy["toxics"]) for proxy in server.call("GET", "/proxies").json().values()] == [(True, [])] * 2


def test_of_twenty_creates_of_one_name_one_wins(server: Any, echo: Any) -> None:
    proxy = server.proxy(echo)

    def create(_: int) -> int:
        return int(server.call("POST", f"/proxies/{proxy.name}/toxics", {"type": "latency"}).status_code)

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(create, range(20))) == [200] + [409] * 19


def test_names_with_any_letter_can_be_reached(server: Any, echo: Any) -> None:
    server.proxy(echo, name="ünï cödé?")
    assert server.call("GET", "/proxies/%C3%BCn%C3%AF%20c%C3%B6d%C3%A9%3F").json()["name"] == "ünï cödé?"


def test_the_python_client_drives_it(server: Any, echo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from toxiproxy import Toxiproxy
    from toxiproxy.api import APIConsumer
    from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

    host, port = server.api.split(":")
    monkeypatch.setattr(APIConsumer, "host", host)
    monkeypatch.setattr(APIConsumer, "port", int(port))
    client = Toxiproxy()
    assert client.running()
    proxy = client.create(upstream=echo.address, name="python")
    proxy.add_toxic(type="latency", attributes={"latency": 1})
    assert proxy.toxics()["latency_downstream"].attributes == {"latency": 1, "jitter": 0}
    with pytest.raises(ProxyExists):
        proxy.add_toxic(type="latency")
    with pytest.raises(InvalidToxic):
        proxy.add_toxic(type="nix")
    with pytest.raises(NotFound):
        proxy.destroy_toxic("nix")
    with proxy.down():
        assert client.get_proxy("python").enabled is False
    assert proxy.destroy_toxic("latency_downstream")
    assert client.reset()
    assert proxy.destroy()
    assert client.proxies() == {}
