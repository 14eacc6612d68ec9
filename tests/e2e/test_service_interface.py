"""The service against its own OpenAPI description, and against clients that behave badly: typed answers, bounded memory."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from service_stack import Instance, Stack, direct, running_stack, wait_until

QUESTION = "Explain step by step how the warranty for device 7 works."


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(quick=True) as running:
        yield running


@pytest.fixture(scope="module")
def service(stack: Stack) -> Iterator[Instance]:
    with stack.instance(rate_limit="1000000", body_read_s="1") as instance:
        yield instance


@pytest.fixture(scope="module")
def described(service: Instance) -> dict[str, Any]:
    return service.client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def admin(stack: Stack) -> dict[str, str]:
    return stack.user(role="admin", tenant="fuzz")


# What the description cannot say: the last message is the user's, all parts together keep to the length, no injection, and
# (a pattern over 100,000 characters takes a generator its seconds) that a document is not blank.
BEYOND = """
hooks = "service_description_checks"

[checks.not_a_server_error]  # typed and described; `status_code_conformance` holds every operation to its own
expected-statuses = ["2xx", "3xx", "4xx", 502, 503, 504]

[[operations]]
include-path-regex = "^/(message|v1/chat/completions|admin/knowledge)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 429, 502, 503, 504]
"""


def ask_everything(service: Instance, key: dict[str, str], folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Ask the instance what its own description allows and forbids, and hold every answer to it; bounded, and by seed."""
    (folder / "schemathesis.toml").write_text(BEYOND)
    asked = ["run", f"{service.client.base_url}/openapi.json", "-H", f"Authorization: {key['authorization']}", "--no-color"]
    bounds = ["--max-examples", "12", "--seed", "1", "--request-timeout", "20", "--generation-database", "none"]
    return subprocess.run(
        [Path(sys.executable).with_name("st"), "--config-file", folder / "schemathesis.toml", *asked, *bounds, *options],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "NO_PROXY": "*"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_every_operation_answers_as_it_is_described(service: Instance, admin: dict[str, str], tmp_path: Path):
    done = ask_everything(service, admin, tmp_path, "--phases", "examples,coverage,fuzzing")
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Tested: 10" in done.stdout, done.stdout[-2000:]


@pytest.mark.timeout(300)
def test_an_answer_with_a_trace_is_seen(stack: Stack, admin: dict[str, str], tmp_path: Path):
    with stack.instance(rate_limit="1000000", defect="validate-answers-with-trace", under_test="yes") as broken:
        done = ask_everything(broken, admin, tmp_path, "--phases", "coverage", "--include-path", "/v1/chat/completions")
    assert done.returncode == 1, done.stderr
    assert "no_stack_trace" in done.stdout
    assert "the answer shows ['Traceback'" in done.stdout


def test_the_description_is_openapi_and_names_every_route(described: dict[str, Any], service: Instance):
    assert described["openapi"] == "3.1.0"
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["responses"], (path, method)
            for response in operation["responses"].values():
                for content in response["content"].values():
                    if "schema" in content:
                        jsonschema.Draft202012Validator.check_schema(content["schema"])


def raw(service: Instance) -> socket.socket:
    host, port = str(service.client.base_url.host), service.client.base_url.port
    assert port is not None
    s = socket.create_connection((host, port), timeout=8)
    s.settimeout(8)
    return s


def read_all(s: socket.socket) -> bytes:
    parts = []
    try:
        while part := s.recv(65536):
            parts.append(part)
    except (TimeoutError, ConnectionResetError):
        pass
    return b"".join(parts)


def memory_kb(service: Instance) -> int:
    text = Path(f"/proc/{service.process.popen.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))


def head(key: dict[str, str], length: int) -> bytes:
    return f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: {key['authorization']}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_a_hundred_megabytes_are_refused_without_being_kept(stack: Stack, service: Instance):
    before = memory_kb(service)
    with raw(service) as s:
        try:
            s.sendall(head(stack.user(), 100 * 1024 * 1024))
            for _ in range(100):
                s.sendall(b"x" * 1024 * 1024)
        except OSError:
            pass  # it hung up, as it may
        answer = read_all(s)
    assert answer == b"" or b" 413 " in answer.split(b"\r\n")[0]
    assert memory_kb(service) - before < 30 * 1024
    assert service.ask(stack.user(), "Hello!").status_code == 200


def test_a_client_that_sends_its_body_too_slowly_gets_408(stack: Stack, service: Instance):
    with raw(service) as s:
        s.sendall(head(stack.user(), 1000) + b'{"mess')
        began = time.monotonic()
        answer = read_all(s)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"slow_body" in answer
    assert time.monotonic() - began < 5


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing_behind(stack: Stack, service: Instance):
    for _ in range(20):
        with raw(service) as s:
            s.sendall(head(stack.user(), 1000) + b'{"mess')
    text = "gateway_requests_in_flight 1.0"  # the scrape itself
    wait_until(lambda: text in service.client.get("/metrics").text, what="the end of all requests")


def test_a_flood_of_headers_is_refused_or_ignored_and_harms_nobody(stack: Stack, service: Instance):
    before = memory_kb(service)
    with raw(service) as s:
        try:
            s.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n")
            for i in range(20_000):
                s.sendall(f"x-{i}: {'y' * 200}\r\n".encode())
            s.sendall(b"\r\n")
        except OSError:
            pass
        s.settimeout(2)
        read_all(s)
    assert service.client.get("/live").status_code == 200
    assert memory_kb(service) - before < 60 * 1024


@pytest.mark.parametrize(
    "sent", [b"\x00\xff\xfe\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n"]
)
def test_what_is_not_http_ends_the_connection_and_nothing_else(stack: Stack, service: Instance, sent: bytes):
    with raw(service) as s:
        s.settimeout(2)
        with contextlib.suppress(OSError):
            s.sendall(sent)
        read_all(s)
    assert service.client.get("/live").status_code == 200


def test_a_half_closed_connection_still_gets_its_answer_or_is_let_go(stack: Stack, service: Instance):
    body = json.dumps({"messages": [{"role": "user", "content": "Hello!"}]}).encode()
    with raw(service) as s:
        s.sendall(head(stack.user(), len(body)) + body)
        s.shutdown(socket.SHUT_WR)
        read_all(s)
    wait_until(lambda: stack.sql("select count(*) from reservation where state = 'held'") == [["0"]], what="the settlement")


@pytest.fixture
def rubbish(stack: Stack) -> Iterator[Any]:
    def plant(kind: str, **parameters: object) -> None:
        fault = {"id": kind, "endpoint": "primary", "kind": kind, "parameters": parameters}
        direct.put(f"{stack.control}/faults", json=fault).raise_for_status()

    yield plant
    direct.delete(f"{stack.control}/faults")


class Trickling(http.server.BaseHTTPRequestHandler):
    """A provider that sends a short token every 0.6 s, and never an end."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(20):
                self.wfile.write(b'data: {"choices":[{"delta":{"content":"drip "}}]}\n\n')
                self.wfile.flush()
                time.sleep(0.6)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_primary_that_trickles_leaves_time_for_the_second_model(stack: Stack):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trickling) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with stack.instance(provider_primary_url=f"http://127.0.0.1:{server.server_port}/v1") as service:
            answer = service.ask(stack.user(), QUESTION)
        server.shutdown()
    assert (answer.status_code, answer.headers["x-gateway-provider"], answer.headers["x-gateway-degraded"]) == (
        200,
        "secondary",
        "0",
    )
    assert answer.elapsed.total_seconds() < 4.8


@pytest.mark.parametrize(
    "kind", ["malformed_json", "empty_choices", "wrong_usage", "missing_usage", "usage_above", "huge_answer", "duplicate_chunks"]
)
def test_whatever_a_provider_says_the_answer_is_typed_and_the_books_are_whole(stack: Stack, rubbish: Any, kind: str):
    rubbish(kind)
    with stack.instance(answer_max_bytes="2000") as service:
        for stream in (False, True):
            answer = service.ask(stack.user(), QUESTION, stream=stream)
            assert answer.status_code in (200, 400, 502)
            assert "Traceback" not in answer.text
            assert len(answer.content) < 4_000_000
        assert memory_kb(service) < 400 * 1024
    assert stack.sql("select count(*) from reservation where state = 'held'") == [["0"]]
    assert stack.sql("select min(spent_nanousd) >= 0, sum(reserved_nanousd) from budget") == [["t", "0"]]


class CutWhileHeld(Trickling):
    """A provider whose stream breaks behind a text that could be the beginning of a secret."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b'data: {"choices":[{"delta":{"content":"sk-ab"}}]}\n\n')


def test_a_stream_that_breaks_while_it_is_still_held_back_comes_from_the_second_model(stack: Stack):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), CutWhileHeld) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with stack.instance(provider_primary_url=f"http://127.0.0.1:{server.server_port}/v1") as service:
            answer = service.ask(stack.user(), QUESTION, stream=True)
        server.shutdown()
    lines = [line for line in answer.text.split("\n\n") if line]
    assert (answer.status_code, answer.headers["x-gateway-provider"], lines[-1]) == (200, "secondary", "data: [DONE]")


def alerts_of(instance: Instance, level: str, scope: str) -> int:
    return sum(
        x.get("event") == "budget_alert" and (x["level"], x["scope"]) == (level, scope) for x in instance.process.log_lines()
    )


def test_budget_alerts_come_once_at_80_percent_and_when_nothing_fits_any_more(stack: Stack):
    key = stack.user(budget_usd=0.003, tenant="alerted")
    account = stack.sql(f"select id from account where name = 'u-{key['authorization'][-12:]}'")[0][0]
    scope = f"user:{account}"
    with (
        stack.instance(rate_limit="1000", database_timeout_s="5") as here,
        stack.instance(rate_limit="1000", database_timeout_s="5") as there,
    ):
        for i in range(60):
            if (here, there)[i % 2].ask(key, QUESTION, model="sim-large").status_code == 402:
                break
        else:
            raise AssertionError("the budget was never refused")
        total = lambda level: sum(alerts_of(i, level, scope) for i in (here, there))  # noqa: E731 - short and only here
        wait_until(lambda: total("critical") == 1, within_s=20, what="the critical alert")
        spent = float(stack.sql(f"select spent_nanousd from budget where scope = '{scope}'")[0][0]) / 0.003e9
        if spent >= 0.8:
            wait_until(lambda: total("warning") == 1, within_s=20, what="the warning")
        time.sleep(2.2)  # two more looks of each instance
        assert total("critical") == 1
        assert total("warning") == (spent >= 0.8)
    assert stack.sql("select count(*) from budget_alert where scope = 'service'") == [["0"]]
