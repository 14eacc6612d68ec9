"""Every fault on a link and at the provider: its effect seen by a client outside, and gone after clearing."""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from harness.errors import FaultError
from harness.faults import FaultInjector, rehearse
from harness.model.fault import Fault
from harness.model.fault_kinds import FAULT_KINDS
from harness.model.journal import Event
from harness.model.target import Landscape, Link

QUESTION = {"model": "sim-small", "messages": [{"role": "user", "content": "hello there"}], "max_tokens": 20}


def start(*arguments: str) -> tuple[subprocess.Popen, dict]:
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


@dataclass(frozen=True, slots=True)
class Stand:
    """A proxy before an echo of our own, and one before the provider."""

    api: str
    control: str
    provider: Link
    echo: Link

    def landscape(self) -> Landscape:
        links = {"provider.primary": self.provider, "links.echo": self.echo}
        return Landscape(links=links, provider_control_url=f"http://{self.control}")


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    proxy, proxy_says = start("harness.faultproxy", "--port", "0")
    provider, provider_says = start("harness.provider")
    echo = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE)
    assert echo.stdout is not None
    try:
        api = f"http://{proxy_says['api']}"
        links = []
        upstreams = {
            "provider.primary": provider_says["endpoints"]["primary"],
            "links.echo": echo.stdout.readline().decode().strip(),
        }
        for name, upstream in upstreams.items():
            body = {"name": name, "listen": "127.0.0.1:0", "upstream": upstream}
            listen = httpx.post(f"{api}/proxies", json=body, trust_env=False).json()["listen"]
            links.append(Link(name=name, proxy=name, toxiproxy_url=api, listen=listen, upstream=upstream))
        yield Stand(api, provider_says["control"], *links)
    finally:
        for process in (proxy, provider, echo):
            process.terminate()
            process.wait(5)


ECHO = """
import asyncio
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print("%s:%d" % server.sockets[0].getsockname()[:2], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class Journal:
    def __init__(self) -> None:
        self.entries: list[tuple[Event, str, dict, float]] = []

    def record(self, event: Event, subject: str, /, **data) -> None:
        self.entries.append((event, subject, data, time.monotonic()))

    def acted(self) -> int | None:
        return next(data["count"] for event, _, data, _ in reversed(self.entries) if event is Event.FAULT_ACTED)

    def events(self) -> list[Event]:
        return [event for event, *_ in self.entries]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def injector(stand, journal) -> Iterator[FaultInjector]:
    injector = FaultInjector(stand.landscape(), journal.record)
    yield injector
    assert injector.clear_all() == []


def fault(kind: str, at: str = "links.echo", **parameters) -> Fault:
    return Fault(id=f"f-{kind}", at=at, kind=kind, phase="outage", apply_ns=0, clear_ns=1, parameters=parameters)


def connect(link: Link) -> socket.socket:
    host, _, port = link.listen.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=2)


def echoed(connection: socket.socket, sent: bytes = b"hello", within_s: float = 2.0) -> bytes:
    """Return what comes back until as much as was sent is there, the end comes, or the time is over."""
    connection.settimeout(within_s)
    connection.sendall(sent)
    came = b""
    with contextlib.suppress(TimeoutError):
        while len(came) < len(sent) and (part := connection.recv(65536)):
            came += part
    return came


def dark(link: Link) -> str:
    """Return how a new connection fails, or `open`."""
    try:
        with connect(link) as connection:
            return "open" if echoed(connection, within_s=0.1) == b"hello" else "silent"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "reset"


def test_a_black_hole_takes_old_connections_and_new_ones_and_lets_go_of_the_link(stand, injector, journal):
    with connect(stand.echo) as old:
        assert echoed(old) == b"hello"
        injector.apply(fault("timeout"))
        assert echoed(old, within_s=0.1) == b""
        assert dark(stand.echo) == "silent"
        injector.clear("f-timeout")
        assert dark(stand.echo) == "open"
    assert journal.acted() == 2


def test_a_dark_provider_is_not_sent_what_nobody_will_pay_for(stand, injector):
    calls = f"http://{stand.control}/meter"
    before = httpx.get(calls, trust_env=False).json()
    injector.apply(fault("timeout", "provider.primary"))
    with pytest.raises(httpx.ReadTimeout):
        ask(stand, timeout=0.3)
    assert httpx.get(calls, trust_env=False).json() == before
    injector.clear("f-timeout")
    assert ask(stand).status_code == 200


def test_a_link_that_is_down_refuses_cuts_and_comes_back(stand, injector, journal):
    with connect(stand.echo) as old:
        assert echoed(old) == b"hello"
        injector.apply(fault("down"))
        assert dark(stand.echo) == "refused"
        with contextlib.suppress(ConnectionError):
            assert old.recv(1) == b""
        injector.clear("f-down")
    assert dark(stand.echo) == "open"
    assert journal.acted() == 1


def test_a_link_that_is_down_with_nobody_on_it_cannot_tell_whether_it_acted(stand, injector, journal):
    injector.apply(fault("down"))
    injector.clear("f-down")
    assert journal.acted() is None


def test_latency_is_there_on_live_connections_and_gone_after(stand, injector, journal):
    with connect(stand.echo) as old:
        injector.apply(fault("latency", latency=150))
        started = time.monotonic()
        assert echoed(old) == b"hello"
        assert 0.15 <= time.monotonic() - started < 1.5
        injector.clear("f-latency")
        started = time.monotonic()
        assert echoed(old) == b"hello"
        assert time.monotonic() - started < 0.15
    assert journal.acted() == 1


def test_a_narrow_link_takes_its_time(stand, injector, journal):
    with connect(stand.echo) as old:
        injector.apply(fault("bandwidth", rate=100))
        started = time.monotonic()
        assert echoed(old, b"x" * 30_000) == b"x" * 30_000
        assert 0.2 <= time.monotonic() - started < 2
        injector.clear("f-bandwidth")
        started = time.monotonic()
        assert echoed(old, b"x" * 30_000) == b"x" * 30_000
        assert time.monotonic() - started < 0.2
    assert journal.acted() == 1


def test_connections_are_reset_and_then_no_more(stand, injector, journal):
    injector.apply(fault("reset_peer"))
    assert dark(stand.echo) == "reset"
    injector.clear("f-reset_peer")
    assert dark(stand.echo) == "open"
    assert journal.acted() == 1


def test_a_connection_ends_after_so_many_bytes(stand, injector, journal):
    injector.apply(fault("limit_data", bytes=3))
    with connect(stand.echo) as connection:
        assert echoed(connection) == b"hel"
    injector.clear("f-limit_data")
    assert dark(stand.echo) == "open"
    assert journal.acted() == 1


def test_data_comes_in_pieces(stand, injector, journal):
    injector.apply(fault("slicer", average_size=2, delay=20_000))
    with connect(stand.echo) as connection:
        connection.sendall(b"0123456789")
        pieces = [connection.recv(100) for _ in range(3)]
        assert max(len(piece) for piece in pieces) < 10
    injector.clear("f-slicer")
    with connect(stand.echo) as connection:
        connection.sendall(b"0123456789")
        assert connection.recv(100) == b"0123456789"
    assert journal.acted() == 1


def _end_after_s(link: Link) -> float:
    """Return how long the end of a connection takes to come back."""
    with connect(link) as connection:
        connection.shutdown(socket.SHUT_WR)
        started = time.monotonic()
        assert connection.recv(1) == b""
        return time.monotonic() - started


def test_the_end_of_a_connection_is_late(stand, injector, journal):
    injector.apply(fault("slow_close", delay=200))
    assert _end_after_s(stand.echo) >= 0.19
    injector.clear("f-slow_close")
    assert min(_end_after_s(stand.echo) for _ in range(5)) < 0.19
    assert journal.acted() == 1


def test_bytes_arrive_changed(stand, injector, journal):
    injector.apply(fault("corrupt", share=1.0))
    with connect(stand.echo) as connection:
        came = echoed(connection, b"a" * 100)
    assert len(came) == 100
    assert b"a" not in came
    injector.clear("f-corrupt")
    assert dark(stand.echo) == "open"
    assert journal.acted() == 1


def test_chunks_are_lost(stand, injector, journal):
    injector.apply(fault("loss", share=1.0))
    assert dark(stand.echo) == "silent"
    injector.clear("f-loss")
    assert dark(stand.echo) == "open"
    assert journal.acted() == 1


def test_a_toxicity_of_nothing_touches_nobody(stand, injector, journal):
    injector.apply(fault("timeout", toxicity=0.0))
    assert dark(stand.echo) == "open"
    injector.clear("f-timeout")
    assert journal.acted() == 0


def test_requests_on_one_kept_connection_meet_a_toxic_by_their_number_path_and_method(stand, injector, journal):
    url = f"http://{stand.provider.listen}/v1"
    with httpx.Client(headers={"Authorization": "Bearer sk-x"}, timeout=0.5, trust_env=False) as client:
        assert client.get(f"{url}/models").status_code == 200
        injector.apply(fault("latency", "provider.primary", latency=1500, only_path="/v1/models", only_method="GET", every_nth=2))
        assert client.post(f"{url}/chat/completions", json=QUESTION, timeout=5).elapsed.total_seconds() < 1.5
        assert client.get(f"{url}/models").status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{url}/models")
        assert client.get(f"{url}/models").status_code == 200
        injector.clear("f-latency")
        assert [client.get(f"{url}/models").status_code for _ in range(2)] == [200, 200]
    assert journal.acted() == 1


def test_a_request_that_goes_dark_never_reaches_the_provider(stand, injector, journal):
    rehearse(injector, [fault("timeout", "provider.primary", nth=1)])
    meter = f"http://{stand.control}/meter"
    before = httpx.get(meter, trust_env=False).json()
    injector.apply(fault("timeout", "provider.primary", nth=1))
    with pytest.raises(httpx.ReadTimeout):
        ask(stand, timeout=0.3)
    assert httpx.get(meter, trust_env=False).json() == before
    assert ask(stand).status_code == 200
    injector.clear("f-timeout")
    assert journal.acted() == 1


# -- the provider ---------------------------------------------------------------------------------------------------


def ask(stand: Stand, timeout: float = 5.0) -> httpx.Response:
    url = f"http://{stand.provider.listen}/v1/chat/completions"
    return httpx.post(url, json=QUESTION, headers={"Authorization": "Bearer sk-x"}, timeout=timeout, trust_env=False)


def test_a_status_comes_for_the_calls_that_its_trigger_picks_and_no_longer(stand, injector, journal):
    injector.apply(fault("status", "provider.primary", code=429, retry_after="2", first_n=2))
    answers = [ask(stand) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "2"
    injector.clear("f-status")
    assert ask(stand).status_code == 200
    assert journal.acted() == 2


def test_a_provider_fault_on_another_model_leaves_this_one_alone(stand, injector, journal):
    injector.apply(fault("status", "provider.primary", only_model="sim-large"))
    assert ask(stand).status_code == 200
    injector.clear("f-status")
    assert journal.acted() == 0


def test_a_rehearsals_calls_are_not_counted_for_the_run(stand, injector, journal):
    rehearse(injector, [fault("status", "provider.primary")])
    injector.apply(fault("status", "provider.primary"))
    assert ask(stand).status_code == 503
    injector.clear("f-status")
    assert journal.acted() == 1


def test_a_stalled_answer_goes_on_when_the_fault_clears(stand, injector, journal):
    host, _, port = stand.provider.listen.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    injector.apply(fault("stall", "provider.primary"))
    with contextlib.closing(connection):
        connection.request("POST", "/v1/chat/completions", json.dumps(QUESTION), {"Authorization": "Bearer sk-x"})
        deadline = time.monotonic() + 5
        while not (shown := httpx.get(f"http://{stand.control}/faults", trust_env=False).json()[0])["held"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert shown["acted"] == 1
        injector.clear("f-stall")
        assert json.loads(connection.getresponse().read())["choices"]
    assert journal.acted() == 1


# -- all of them ----------------------------------------------------------------------------------------------------

NEEDED = {"latency": {"latency": 200}, "bandwidth": {"rate": 100}, "slow_close": {"delay": 100}, "slicer": {"average_size": 9}}
NEEDED |= {"limit_data": {"bytes": 0}}
ANYWHERE = [kind for kind in FAULT_KINDS.values() if "provider.*" in kind.places]


@pytest.mark.parametrize("kind", [kind.kind for kind in ANYWHERE])
def test_every_kind_is_applied_and_cleared_at_the_provider_without_a_trace(stand, injector, journal, kind):
    """No load, so nothing may have acted: neither the probes that confirm nor those that prove clear pass for users."""
    injector.apply(fault(kind, "provider.primary", **NEEDED.get(kind, {})))
    injector.clear(f"f-{kind}")
    assert journal.acted() in {0, None}
    assert Event.FAULT_FAILED not in journal.events()
    assert httpx.get(f"http://{stand.control}/faults", trust_env=False).json() == []
    shown = httpx.get(f"{stand.api}/proxies", trust_env=False).json()
    assert all(proxy["enabled"] and proxy["toxics"] == [] for proxy in shown.values())
    assert httpx.get(f"{stand.api}/lease", trust_env=False).json()["seconds"] is None


def test_a_toxic_that_does_not_reach_the_link_is_found_out(stand, journal):
    """The proxy lists it, the connection does not meet it: the address is not that of the proxy."""
    bypass = Link(
        name="provider.primary",
        proxy="provider.primary",
        toxiproxy_url=stand.api,
        listen=stand.provider.upstream,
        upstream=stand.provider.upstream,
    )
    injector = FaultInjector(Landscape(links={"provider.primary": bypass}), journal.record)
    for given in (fault("timeout", "provider.primary"), fault("down", "provider.primary")):
        with pytest.raises(FaultError, match=r"is listed at .* but does not act"):
            injector.apply(given)
    assert injector.active() == ()
    assert httpx.get(f"{stand.api}/proxies", trust_env=False).json()["provider.primary"]["enabled"] is True


def test_a_stalled_link_is_confirmed_by_the_probe_that_it_holds(stand, injector, journal):
    injector.apply(fault("bandwidth", "provider.primary", rate=0))
    injector.clear("f-bandwidth")
    assert journal.acted() == 0


def test_a_toxic_that_somebody_removed_is_told_at_the_clearing(stand, injector, journal):
    injector.apply(fault("latency", latency=100))
    httpx.post(f"{stand.api}/reset", trust_env=False)
    injector.clear("f-latency")
    assert [data["step"] for event, _, data, _ in journal.entries if event is Event.FAULT_FAILED] == ["hold"]


def test_faults_fall_away_by_the_lease_when_nobody_renews_it(stand, journal):
    injector = FaultInjector(stand.landscape(), journal.record, lease_s=0.5)
    injector.apply(fault("down"))
    injector.apply(fault("status", "provider.primary"))
    time.sleep(0.9)
    assert dark(stand.echo) == "refused", "renewed while its owner lives"
    assert injector._leases is not None
    injector._leases.stop()
    deadline = time.monotonic() + 5
    while dark(stand.echo) != "open":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert ask(stand).status_code == 200
    assert injector.clear_all() == []


def test_a_proxy_that_is_gone_is_a_clear_error_and_nothing_hangs(journal):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
        link = Link(name="links.x", proxy="x", toxiproxy_url=f"http://{nobody}", listen=nobody, upstream=nobody)
        injector = FaultInjector(Landscape(links={"links.x": link}), journal.record)
        started = time.monotonic()
        with pytest.raises(FaultError, match=nobody):
            injector.apply(fault("timeout", "links.x"))
        assert time.monotonic() - started < 5


def test_without_ports_what_is_open_stays_open_and_new_connections_are_refused(stand, injector, journal):
    with connect(stand.echo) as kept:
        assert echoed(kept) == b"hello"
        injector.apply(fault("ports_exhausted"))
        assert echoed(kept, b"still") == b"still"
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                connect(stand.echo)
        injector.clear("f-ports_exhausted")
        assert echoed(kept, b"and on") == b"and on"
        with connect(stand.echo) as new:
            assert echoed(new) == b"hello"
    assert journal.acted() is None, "nobody counts whom the kernel refuses"


def test_a_proxy_without_ports_takes_new_connections_again_when_its_lease_runs_out(stand):
    with httpx.Client(base_url=stand.api, trust_env=False) as api:
        assert api.put("/proxies/links.echo/full").json() == {"full": True}
        api.put("/lease", json={"seconds": 0.2})
        deadline = time.monotonic() + 5
        while api.get("/proxies/links.echo/full").json()["full"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with connect(stand.echo) as new:
            assert echoed(new) == b"hello"
        assert api.delete("/proxies/links.echo/full").status_code == 204, "a second time does no harm"
        assert api.put("/proxies/nobody/full").status_code == 404
