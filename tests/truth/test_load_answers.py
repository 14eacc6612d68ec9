"""Conversations, closed loops, lengths, time limits, plain requests, gzip and TLS, held against what the other side recorded."""

import gzip
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from load_process import S, plan_for, run_to_end, worker
from provider_under_test import running_provider
from self_signed import certificate
from test_load_worker import stub

from harness.model.plan import ArrivalProcess, ArrivalSegment, PlainRequest, Plan, Protocol, TokenLengths, UserClass

ANSWER = {
    "choices": [{"message": {"role": "assistant", "content": "yes"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}


@contextmanager
def server(*, context: ssl.SSLContext | None = None, zipped: bool = False) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A server that writes down what it was asked, and answers `yes`."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body})
            data = json.dumps(ANSWER).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            if zipped:
                data = gzip.compress(data)
                self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815 - the names that the server looks for

        def log_message(self, *_: object) -> None: ...

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield listening.server_port, asked
    finally:
        listening.shutdown()
        listening.server_close()


def with_mix(plan: Plan, *mix: UserClass, **load: Any) -> Plan:
    return replace(plan, load=replace(plan.load, mix=mix, **load))


TALK = UserClass(
    name="talk",
    weight_ratio=1,
    model="sim-small",
    prompts=("Hello {n}",),
    follow_ups=(("And then?", "Why {n}?"),),
    think_ns=S // 5,
)


@pytest.mark.parametrize("streamed", [0.0, 1.0])
def test_a_conversation_goes_on_after_each_answer_and_repeats_what_was_said(tmp_path: Path, streamed: float) -> None:
    plan = with_mix(plan_for(seconds=2, rate_rps=3, process=ArrivalProcess.CONSTANT, streamed_ratio=streamed), TALK)
    with running_provider() as provider:
        rows = run_to_end(tmp_path / "run", plan, f"http://{provider.endpoints['primary']}").samples()
        calls = {str(call["request_id"]): call for call in provider.calls(at_least=18)}
    assert {row["result"] for row in rows} == {"answered"}
    assert sorted(row["seq"] for row in rows) == list(range(18))
    talks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        talks[str(row["conversation"])].append(row)
    assert len(talks) == 6
    for talk in talks.values():
        talk.sort(key=lambda row: row["turn"])
        assert [row["turn"] for row in talk] == [1, 2, 3]
        for before, after in pairwise(talk):
            assert after["intended_ns"] == before["ended_ns"] + S // 5
            assert after["started_ns"] >= after["intended_ns"]
            # The provider billed what was said before: the prompt grows by the answer and the question.
            assert calls[after["request_id"]]["prompt_tokens"] > calls[before["request_id"]]["prompt_tokens"]
            assert after["prompt_tokens"] == calls[after["request_id"]]["prompt_tokens"]


def test_a_conversation_without_an_answer_breaks_off_and_is_not_judged_further(tmp_path: Path) -> None:
    plan = with_mix(plan_for(seconds=1, rate_rps=3, process=ArrivalProcess.CONSTANT), TALK)
    with stub("garbage") as url:
        rows = run_to_end(tmp_path / "run", plan, url).samples()
    by_turn = {turn: {(row["result"], row["error_kind"]) for row in rows if row["turn"] == turn} for turn in (1, 2, 3)}
    broken = {("cancelled", "conversation_broken")}
    assert by_turn == {1: {("malformed", "bad_http")}, 2: broken, 3: broken}


def test_users_of_a_closed_loop_wait_and_think_and_what_they_ask_is_intended_then(tmp_path: Path) -> None:
    base = plan_for(seconds=3)
    loop = ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=0, end_ns=3 * S, rate_rps=0, users=4, think_ns=S // 5)
    plan = replace(base, load=replace(base.load, segments=(loop,)))
    with stub("slow") as url:  # 0.3 s an answer: a turn of half a second
        rows = run_to_end(tmp_path / "run", plan, url).samples()
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert 12 <= len(rows) <= 24
    users: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["intended_ns"]):
        users[str(row["principal"])].append(row)
    assert len(users) == 4
    for asked in users.values():
        for before, after in pairwise(asked):
            assert after["intended_ns"] >= before["ended_ns"] + S // 5 - 2_000_000


def test_prompts_are_as_long_as_they_were_drawn_and_the_provider_bills_them_so(tmp_path: Path) -> None:
    lengths = TokenLengths(median=100, p95=400, least=20, most=1000)
    plan = with_mix(
        plan_for(seconds=2, rate_rps=80, process=ArrivalProcess.CONSTANT, streamed_ratio=0),
        UserClass(name="long", weight_ratio=1, model="sim-small", prompts=("{n} {words}",), prompt_tokens=lengths, max_tokens=5),
    )
    with running_provider() as provider:
        run_to_end(tmp_path / "run", plan, f"http://{provider.endpoints['primary']}")
        billed = sorted(int(str(call["prompt_tokens"])) for call in provider.calls(at_least=160))
    assert len(billed) == 160
    assert 20 <= billed[0] < billed[-1] <= 1000
    assert 80 < billed[80] < 125
    assert 260 < billed[152] < 620


def test_a_class_has_its_own_time_limit(tmp_path: Path) -> None:
    hasty = UserClass(name="hasty", weight_ratio=0.5, prompts=("x",), timeout_ns=S // 10)
    patient = UserClass(name="patient", weight_ratio=0.5, prompts=("x",))
    with stub("slow") as url:
        rows = run_to_end(tmp_path / "run", with_mix(plan_for(seconds=1), hasty, patient), url).samples()
    assert {(row["user_class"], row["result"]) for row in rows} == {("hasty", "timeout"), ("patient", "answered")}


def test_plain_requests_are_sent_as_written(tmp_path: Path) -> None:
    get = UserClass(
        name="get", weight_ratio=0.5, prompts=("x",), protocol=Protocol.HTTP, plain=PlainRequest(method="GET", path="/live")
    )
    ask = UserClass(name="ask", weight_ratio=0.5, prompts=('say "{n}"',), protocol=Protocol.MESSAGE)
    with server() as (port, asked):
        rows = run_to_end(tmp_path / "run", with_mix(plan_for(seconds=1), get, ask), f"http://127.0.0.1:{port}").samples()
    assert {(row["user_class"], row["result"]) for row in rows} == {("get", "answered"), ("ask", "answered")}
    assert {(one["method"], one["path"]) for one in asked} == {("GET", "/live"), ("POST", "/message")}
    said = {json.loads(one["body"])["messages"][0]["content"] for one in asked if one["method"] == "POST"}
    assert said == {f'say "{row["seq"]}"' for row in rows if row["user_class"] == "ask"}


def test_an_answer_that_comes_compressed_is_read(tmp_path: Path) -> None:
    with server(zipped=True) as (port, _):
        rows = run_to_end(tmp_path / "run", plan_for(seconds=1, streamed_ratio=0), f"http://127.0.0.1:{port}").samples()
    assert {(row["result"], row["completion_tokens"]) for row in rows} == {("answered", 1)}


def test_bad_exchanges_are_kept_and_some_good_ones_without_a_key(tmp_path: Path) -> None:
    with stub("instant") as url:
        process = run_to_end(tmp_path / "good", plan_for(seconds=1, rate_rps=60), url)
        good = [json.loads(line) for line in (process.directory.path / "exchanges" / "worker-000.jsonl").read_text().splitlines()]
    with stub("garbage") as url:
        process = run_to_end(tmp_path / "bad", plan_for(seconds=1, rate_rps=60), url)
        bad = [json.loads(line) for line in (process.directory.path / "exchanges" / "worker-000.jsonl").read_text().splitlines()]
    assert 10 <= len(good) <= 20
    assert all("ok" in one["response"] and "Bearer ***" in one["request"] for one in good)
    assert len(bad) == len(process.samples())
    assert {one["error_kind"] for one in bad} == {"bad_http"}


@pytest.mark.parametrize(
    ("name", "trusted", "result"),
    [("localhost", True, None), ("elsewhere.test", True, "tls_bad_certificate"), ("localhost", False, "tls_bad_certificate")],
)
def test_tls_is_verified_name_and_signer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, result: str | None
) -> None:
    pem = tmp_path / "server.pem"
    pem.write_bytes(certificate(name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with (
        server(context=context) as (port, asked),
        worker(tmp_path / "run", plan_for(seconds=1, rate_rps=30, streamed_ratio=0)) as process,
    ):
        process.assign(f"https://localhost:{port}")
        if result is not None:  # before the start it is an error that says so; nothing was asked
            assert process.process.wait(20) == 5
            assert result in process.complaint()
            assert asked == []
            return
        assert process.event() == {"event": "ready"}
        process.go()
        assert process.process.wait(20) == 0
    rows = process.samples()
    assert {row["result"] for row in rows} == {"answered"}
    assert len(asked) == len(rows)
