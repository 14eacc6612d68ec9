"""The provider as a process and as a server: starting, ending, hostile clients, and a control port that says what is wrong."""

import json
import signal
import socket
import subprocess
import sys
import time

import forge
import pytest
from provider_under_test import ask, chat, connect, read_answer, request_bytes, running_provider, streamed


@pytest.fixture(scope="module")
def provider():
    with running_provider("--endpoint", "primary=127.0.0.1:0", "--control", "127.0.0.1:0") as provider:
        yield provider


def run(*arguments):
    return forge.run([sys.executable, "-m", "harness.provider", *arguments], timeout_s=20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second_with_calls_under_way(number):
    with running_provider(start=subprocess.Popen) as provider:
        provider.set_fault("stall")
        with connect(provider.endpoints["primary"]) as connection:
            connection.sendall(request_bytes(streamed()))
            read_answer(connection, until=b"assistant")
            began = time.monotonic()
            provider.process.send_signal(number)
            assert provider.process.wait(timeout=5) == 0
            assert time.monotonic() - began < 1
        assert provider.process.stderr.read() == ""


def test_a_port_in_use_is_one_clear_line_and_exit_code_5():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--control", f"127.0.0.1:{port}")
    assert ended.returncode == 5
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--control", "nowhere"], "--control 'nowhere'; write HOST:PORT"),
        (["--endpoint", "127.0.0.1:0"], "write NAME=HOST:PORT"),
        (["--endpoint", "a=127.0.0.1:0", "--endpoint", "a=127.0.0.1:0"], "given twice"),
        (["--endpoint", "a=127.0.0.1:99999"], "port of 0 to 65535"),
        (["--seed", "x"], "invalid int value"),
        (["--bogus"], "--bogus"),
    ],
)
def test_bad_usage_is_exit_code_2(arguments, says):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("body", "status_code", "code"),
    [
        (chat(), 200, None),
        ({**chat(), "model": "gpt-x"}, 404, "model_not_found"),
        ({"model": "sim-small", "messages": []}, 400, None),
        ({"model": "sim-small", "messages": "hello"}, 400, None),
        ({**chat(), "max_tokens": 0}, 400, None),
        ({**chat(), "max_tokens": "many"}, 400, None),
        ({**chat(), "n": 2}, 400, None),
        ([], 400, None),
    ],
)
def test_requests_are_checked_as_openai_does(provider, body, status_code, code):
    answer = ask(provider, body)
    assert answer.status_code == status_code
    if status_code != 200:
        error = json.loads(answer.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["code"] == code


def send_raw(provider, data, **rest):
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(data)
        return read_answer(connection, for_s=5, **rest)


def test_a_request_without_a_key_is_refused(provider):
    assert send_raw(provider, b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}").status_code == 401
    assert send_raw(provider, b"GET /v1/models HTTP/1.1\r\n\r\n").status_code == 401


def test_models_are_listed(provider):
    answer = send_raw(provider, b"GET /v1/models HTTP/1.1\r\nauthorization: Bearer k\r\n\r\n")
    assert {"sim-large", "sim-small"} <= {model["id"] for model in json.loads(answer.body)["data"]}


def test_control_is_not_on_the_endpoints(provider):
    for path in ("/faults", "/calls", "/meter", "/health"):
        assert send_raw(provider, f"GET {path} HTTP/1.1\r\nauthorization: Bearer k\r\n\r\n".encode()).status_code == 404


@pytest.mark.parametrize(
    ("data", "status_code"),
    [
        (b"\x16\x03\x01 this is no HTTP\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * 40_000, 431),
        (b"GET /" + b"a" * 40_000, 431),
        (b"POST / HTTP/1.1\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 8_500_000, 413),
    ],
    ids=["no HTTP", "long header", "long path", "large body"],
)
def test_a_request_that_is_too_large_or_none_is_refused_and_the_rest_go_on(provider, data, status_code):
    with connect(provider.endpoints["primary"]) as connection:
        try:
            connection.sendall(data)
            answer = read_answer(connection, for_s=5)
        except (BrokenPipeError, ConnectionResetError):
            answer = None  # refused before all of it was read
    assert answer is None or answer.end == "rst" or answer.status_code == status_code
    assert ask(provider, chat(max_tokens=1)).status_code == 200


def test_a_connection_is_kept_for_the_next_request(provider):
    with connect(provider.endpoints["primary"]) as connection:
        for number in range(3):
            connection.sendall(request_bytes(streamed(f"question {number}", max_tokens=2)))
            assert read_answer(connection).terminated


def test_pipelined_requests_are_answered_in_their_order(provider):
    bodies = [chat(f"question {number}", max_tokens=6 - number) for number in range(5)]
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(b"".join(request_bytes(body) for body in bodies))
        data = b""
        while data.count(b'"total_tokens"') < 5:
            data += connection.recv(65536)
    tokens = [int(part.split(b'"completion_tokens":')[1].split(b",")[0]) for part in data.split(b"HTTP/1.1 200 OK")[1:]]
    assert tokens == [6, 5, 4, 3, 2]


def test_too_many_pipelined_requests_are_refused(provider):
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(chat(max_tokens=1)) * 40)
        assert read_answer(connection, for_s=5).end != "open"


def test_a_wish_for_another_protocol_is_answered_in_this_one(provider):
    answer = send_raw(provider, request_bytes(chat(max_tokens=2), headers=[("connection", "upgrade"), ("upgrade", "h2c")]))
    assert answer.status_code == 200
    assert json.loads(answer.body)["usage"]["completion_tokens"] == 2


def test_an_old_client_gets_a_stream_that_ends_with_the_connection(provider):
    data = request_bytes(streamed(max_tokens=3)).replace(b"HTTP/1.1", b"HTTP/1.0")
    answer = send_raw(provider, data)
    assert answer.end == "fin"
    assert "transfer-encoding" not in answer.headers
    assert len(answer.words) == 3


def test_a_client_that_waits_to_be_invited_sends_its_body_then(provider):
    head, _, body = request_bytes(chat(max_tokens=1), headers=[("expect", "100-continue")]).partition(b"\r\n\r\n")
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert read_answer(connection, until=b"100 Continue\r\n\r\n").status_code == 100
        connection.sendall(body)
        assert read_answer(connection).status_code == 200


def test_a_client_that_does_not_read_is_dropped_and_blocks_nobody(provider):
    provider.ask_control("POST", "/reset")
    provider.set_fault("duplicate_chunks", {"copies": 100})
    provider.set_fault("huge_answer", {"tokens": 2_000}, trigger={"first_n": 1})
    with connect(provider.endpoints["primary"]) as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.sendall(request_bytes(streamed("for nobody")))
        time.sleep(0.5)
        assert ask(provider, chat(max_tokens=2)).status_code == 200
        deadline = time.monotonic() + 15
        while provider.ask_control("GET", "/health").json()["active"]["primary"] and time.monotonic() < deadline:
            time.sleep(0.1)
    gone = [call for call in provider.calls(2) if call["ended"] == "client_gone"]
    assert len(gone) == 1
    assert gone[0]["completion_tokens"] < 2_000
    provider.ask_control("POST", "/reset")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"kind": "stal"}, "did you mean 'stall'"),
        ({"endpoint": "tertiary"}, "endpoint is 'tertiary'; allowed: primary"),
        ({"parameters": {"after_chunks": -1}}, "parameters.after_chunks is -1; allowed: an integer from 0 to 100000 (chunks)"),
        ({"parameters": {"after_chunks": True}}, "parameters.after_chunks is True"),
        ({"parameters": {"after_chunk": 1}}, "did you mean 'after_chunks'"),
        ({"parameters": {"for_ms": "long"}}, "parameters.for_ms is 'long'; allowed: a number from 1 to 3600000 (ms)"),
        ({"parameters": []}, "parameters is []; allowed: an object"),
        ({"kind": "cut", "parameters": {"how": "rts"}}, "allowed: clean, rst, half_chunk (did you mean 'rst'?)"),
        ({"kind": "status", "parameters": {"retry_after": "1\r\nset-cookie: x"}}, "parameters.retry_after"),
        ({"trigger": {"nth": 1, "share": 0.5}}, "exclude each other"),
        ({"trigger": {"share": 1.5}}, "trigger.share is 1.5; allowed: a number from 0 to 1"),
        ({"trigger": {"window_from_ms": 5, "window_to_ms": 5}}, "must be above"),
        ({"seed": "x"}, "seed is 'x'"),
        ({"id": ""}, "id is ''"),
        ({"extra": 1}, "extra is unknown"),
    ],
)
def test_a_fault_that_cannot_be_taken_is_refused_by_name(provider, fault, says):
    answer = provider.ask_control("PUT", "/faults", {"id": "x", "endpoint": "primary", "kind": "stall", **fault})
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert provider.ask_control("GET", "/faults").json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status_code"),
    [
        ("GET", "/nothing", None, 404),
        ("PATCH", "/faults", {}, 405),
        ("POST", "/calls", {}, 405),
        ("GET", "/calls?after=-1", None, 400),
        ("GET", "/calls?after=x", None, 400),
        ("DELETE", "/faults?id=never-set", None, 404),
        ("PUT", "/lease", {"seconds": 0}, 400),
        ("PUT", "/lease", {"seconds": "5"}, 400),
        ("PUT", "/lease", [], 400),
        ("PUT", "/faults", [], 400),
    ],
)
def test_the_control_port_says_what_is_wrong(provider, method, path, body, status_code):
    answer = provider.ask_control(method, path, body)
    assert answer.status_code == status_code
    assert answer.json()["error"]


def test_setting_a_fault_again_keeps_its_count_and_changing_it_starts_anew(provider):
    provider.ask_control("POST", "/reset")
    provider.set_fault("status", {"code": 500})
    ask(provider, chat())
    provider.set_fault("status", {"code": 500})
    assert provider.acted("status") == 1
    provider.set_fault("status", {"code": 502})
    assert provider.acted("status") == 0
    assert [fault["cleared_by"] for fault in provider.ask_control("GET", "/faults?cleared=1").json()] == ["replaced"]
    provider.ask_control("POST", "/reset")


def test_triggers_choose_by_key_model_and_header(provider):
    provider.ask_control("POST", "/reset")
    provider.set_fault("status", {"code": 500}, trigger={"header": "x-tenant: acme", "model": "sim-small"})
    assert ask(provider, chat(max_tokens=1), headers=[("X-Tenant", "acme")]).status_code == 500
    assert ask(provider, chat(max_tokens=1), headers=[("X-Tenant", "other")]).status_code == 200
    assert ask(provider, {**chat(max_tokens=1), "model": "sim-large"}, headers=[("X-Tenant", "acme")]).status_code == 200
    provider.set_fault("status", {"code": 500}, trigger={"first_n": 2})
    assert [ask(provider, chat(max_tokens=1)).status_code for _ in range(3)] == [500, 500, 200]
    provider.ask_control("POST", "/reset")
