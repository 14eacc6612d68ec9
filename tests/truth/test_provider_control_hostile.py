"""The provider's control port against whoever reaches it: a typed refusal or a whole fault, and never less than a living provider."""

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from provider_under_test import Answer, Provider, chat, connect, read_answer, request_bytes, running_provider

from harness.model.fault import Parameter
from harness.provider.faults import KINDS
from harness.provider.faults.trigger import TRIGGERS

MANY = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
PATHS = ["/faults", "/lease", "/calls", "/meter", "/reset", "/health"]
DIGITS = "9" * 5000  # more than Python makes a number of, or writes one with
LONG = "x" * 100_000


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider("--endpoint", "primary=127.0.0.1:0", "--control", "127.0.0.1:0") as provider:
        began_kb = resident_kb(provider)
        yield provider
        assert resident_kb(provider) - began_kb < 40 * 1024
        provider.process.terminate()
        assert provider.process.wait(timeout=10) == 0
        assert provider.process.stderr is not None
        assert provider.process.stderr.read() == ""


def resident_kb(provider: Provider) -> int:
    text = Path(f"/proc/{provider.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))


# JSON is written by hand here: what a library would not write is the point.
numbers = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e400",
        "-1",
        "0",
        "-0.0",
        "1e-300",
        "1e15",
        "0.5",
        "7",
        str(2**64),
        str(-(2**70)),
        DIGITS,
        "-" + DIGITS,
    ]
)
words = st.text(max_size=12).map(json.dumps) | st.sampled_from(
    [r'"\ud800"', rf'"{LONG}"', r'"\u0000"', '"x-tenant: acme"', '"\\r\\n"']
)
leaves = numbers | words | st.sampled_from(["null", "true", "{}", "[]", "[" * 3000, '{"a":' * 3000, "", "}"])


def written(fields: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in fields.items()) + "}"


def fitting(parameter: Parameter) -> st.SearchStrategy[str]:
    if parameter.choices:
        return st.sampled_from([json.dumps(choice) for choice in parameter.choices])
    if parameter.type in (int, float):
        return st.sampled_from(
            [f"{bound:.0f}" for bound in (parameter.low, parameter.high) if bound is not None and bound >= 1] or ["1"]
        )
    return st.sampled_from(["true", "false"]) if parameter.type is bool else words


def settings_of(table: tuple[Parameter, ...]) -> st.SearchStrategy[str]:
    """Some of a table's parameters, most of them as they should be; or something else in their place."""
    each = {p.name: st.one_of(fitting(p), fitting(p), leaves) for p in table} | {"no-such": leaves, LONG: leaves}
    return st.one_of(*[st.sets(st.sampled_from(sorted(each)), max_size=2).flatmap(lambda n: st.fixed_dictionaries({x: each[x] for x in n})).map(written)] * 3, leaves)  # fmt: skip


@st.composite
def faults(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(sorted(KINDS)))
    fields = {
        "id": draw(st.sampled_from(['"a"', '"b"'])), "endpoint": '"primary"', "kind": json.dumps(kind),
        "parameters": draw(settings_of(KINDS[kind].PARAMETERS)), "trigger": draw(settings_of(TRIGGERS)), "seed": "1",
    }  # fmt: skip
    for name in draw(st.sets(st.sampled_from([*fields, "no-such"]), max_size=1)):
        fields[name] = draw(leaves)
    return written(fields)


bodies = st.one_of(
    faults().map(str.encode),
    leaves.map(str.encode),
    leaves.map(lambda s: written({"seconds": s}).encode()),
    st.binary(max_size=40),
)
queries = st.tuples(
    st.sampled_from(["after", "id", "cleared", "x"]),
    st.binary(max_size=12) | st.sampled_from([b"9" * 30, b"-1", LONG[:20_000].encode()]),
)
targets = st.tuples(
    st.sampled_from(PATHS) | st.binary(max_size=20).map(lambda b: "/" + quote_from_bytes(b)) | st.just("/" + LONG[:20_000]),
    st.lists(queries, max_size=2),
).map(lambda t: t[0] + "?" * bool(t[1]) + "&".join(f"{name}={quote_from_bytes(value)}" for name, value in t[1]))


def told(provider: Provider, method: str, target: str, body: bytes) -> Answer:
    with connect(provider.control) as s:
        s.sendall(f"{method} {target} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        return read_answer(s, for_s=10)


def in_force(provider: Provider) -> list[dict[str, object]]:
    return json.loads(told(provider, "GET", "/faults", b"").body)


def refused(answer: Answer) -> None:
    """A client's error, in JSON, that says what is wrong in a few lines."""
    assert answer.status_code is not None, answer
    assert 400 <= answer.status_code < 500, answer.raw[:300]
    said = json.loads(answer.body)["error"]
    said = said if isinstance(said, str) else said["message"]
    assert 0 < len(said) < 2_000
    assert "Traceback" not in said


@MANY
@given(
    method=st.sampled_from(["PUT", "PUT", "PUT", "PUT", "GET", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT"]),
    target=st.one_of(*[st.just("/faults")] * 3, st.just("/lease"), targets),
    body=bodies,
)
@example("PUT", "/faults", b'{"id":"a","endpoint":"primary","kind":"stall"}')
@example("PUT", "/faults", b'{"id":"a","endpoint":"primary","kind":"status","seed":' + DIGITS.encode() + b"}")
@example("PUT", "/faults", b'{"' + LONG.encode() * 10 + b'":1}')
@example("PUT", "/faults", b'{"id":"a","endpoint":"' + LONG.encode() * 10 + b'","kind":"status"}')
@example("PUT", "/faults", b'{"id":"a","endpoint":"primary","kind":"status","parameters":{"' + LONG.encode() * 10 + b'":1}}')
def test_what_is_asked_is_done_whole_or_refused_whole(provider: Provider, method: str, target: str, body: bytes):
    before = in_force(provider)
    answer = told(provider, method, target, body)
    after = in_force(provider)
    if method == "HEAD" or answer.status_code != 200:
        if method != "HEAD":  # whose answers have no body
            refused(answer)
        assert after == before
    elif (method, target) == ("PUT", "/faults"):
        shown = json.loads(answer.body)
        assert shown in after
        assert [f for f in after if f["id"] != shown["id"]] == [f for f in before if f["id"] != shown["id"]]
        live(provider)  # the fault stays, so that what is refused later has something to do half of
    elif (method, target) == ("PUT", "/lease"):
        told(provider, "DELETE", "/lease", b"")


def live(provider: Provider) -> None:
    """A call meets whatever was set; whether and how it is answered is the fault's matter, and must not end the provider."""
    with connect(provider.endpoints["primary"]) as s:
        s.sendall(request_bytes(chat(stream=True, max_tokens=3)))
        read_answer(s, for_s=0.02)


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"PUT", b"PUT /faults HTTP/1.1\r\n", b"PUT /faults HTTP/1.1\r\nhost: x\r\ncontent-length: 90\r\n\r\n" + b'{"id":"a","endpoint":"primary"',
        b"PUT /faults HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"", b"\x16\x03\x01\x02\x00\x01\x00", b"\x00" * 100,
    ],
    ids=["nothing", "half a method", "half a head", "half a body", "half a chunk", "a greeting of TLS", "zeros"],
)  # fmt: skip
def test_half_a_request_does_nothing_and_harms_nobody(provider: Provider, sent: bytes):
    before = in_force(provider)
    for end in (socket.SHUT_WR, socket.SHUT_RDWR):
        with connect(provider.control) as s:
            s.sendall(sent)
            s.shutdown(end)
            read_answer(s, for_s=2)
    assert in_force(provider) == before


@pytest.mark.parametrize(
    ("sent", "status_code"),
    [
        (b"PUT /faults HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 9_000_000, 413),
        (b"GET /faults HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", 431),
        (b"PUT /faults HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"PUT /faults HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}", 400),
    ],
    ids=["a body of 9 MB", "a head of 100 kB", "a negative length", "two lengths"],
)
def test_what_is_too_much_or_no_http_is_refused_by_its_status(provider: Provider, sent: bytes, status_code: int):
    before = in_force(provider)
    with connect(provider.control) as s:
        with contextlib.suppress(OSError):  # it may hang up while it is told
            s.sendall(sent)
        answer = read_answer(s, for_s=5)
    assert answer.raw == b"" or answer.status_code == status_code
    assert in_force(provider) == before
