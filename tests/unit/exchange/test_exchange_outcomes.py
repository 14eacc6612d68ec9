import json

import pytest
from exchange_answers import DONE, LAST, ROLE, STREAM_HEAD, USAGE, answer, body, chunk, chunked, read

from harness.exchange import End
from harness.model.error_kind import RESULT_OF_KIND, ErrorKind
from harness.model.outcome import Result, Source
from harness.model.text_digest import text_digest

MS = 1_000_000


def stream(*parts: bytes, end: bytes = LAST) -> list[bytes]:
    return [STREAM_HEAD, *(chunked(part) for part in parts), end]


def test_every_error_kind_belongs_to_one_result_that_is_no_good_answer() -> None:
    assert set(RESULT_OF_KIND) == set(ErrorKind)
    assert set(RESULT_OF_KIND.values()) == set(Result) - {Result.ANSWERED, Result.REFUSED, Result.SHED}


def test_a_whole_answer_is_answered_by_the_primary_with_its_tokens_and_its_connection_kept() -> None:
    outcome = read([answer(body(usage={"prompt_tokens": 12, "completion_tokens": 34}))])
    assert (outcome.result, outcome.source, outcome.error_kind) == (Result.ANSWERED, Source.PRIMARY, None)
    assert (outcome.status_code, outcome.prompt_tokens, outcome.completion_tokens) == (200, 12, 34)
    assert outcome.reusable
    assert (outcome.chunks, outcome.first_content_ns) == (None, None)


def test_an_answer_ends_with_its_last_byte_not_when_it_is_asked_for() -> None:
    whole = answer(body())
    outcome = read([whole[:5], whole[5:]])
    assert (outcome.first_byte_ns, outcome.ended_ns) == (10 * MS, 11 * MS)


def test_a_stream_is_timed_by_its_content_and_ends_with_done() -> None:
    outcome = read(stream(ROLE, chunk(""), chunk("a"), chunk("b"), chunk(None), chunk("c"), USAGE, DONE), streamed=True)
    assert outcome.result is Result.ANSWERED
    assert outcome.first_byte_ns == 10 * MS
    assert outcome.first_content_ns == 13 * MS  # head 10, role 11, empty 12, the first token 13
    assert outcome.last_content_ns == 16 * MS
    assert outcome.ended_ns == 18 * MS  # [DONE], not the last chunk of the transfer
    assert (outcome.chunks, outcome.gap_p95_ns, outcome.gap_max_ns) == (3, 2 * MS, 2 * MS)
    assert (outcome.prompt_tokens, outcome.completion_tokens) == (7, 3)
    assert outcome.reusable


def test_one_content_chunk_has_no_gap() -> None:
    outcome = read(stream(chunk("a"), DONE), streamed=True)
    assert (outcome.chunks, outcome.gap_p95_ns, outcome.gap_max_ns) == (1, None, None)


def test_the_gap_p95_is_the_nearest_rank_of_all_gaps() -> None:
    parts = [chunk("x")] * 21  # 20 gaps of 1 ms, of which two become longer
    pieces = [STREAM_HEAD, *(chunked(part) for part in parts[:20]), b"", b"", b"", chunked(parts[20]), chunked(DONE), LAST]
    pieces.insert(5, b"")
    outcome = read(pieces, streamed=True)
    assert (outcome.gap_p95_ns, outcome.gap_max_ns) == (2 * MS, 4 * MS)  # the 19th of 20 in order: 1 x 18, 2, 4


@pytest.mark.parametrize(
    ("pieces", "streamed", "end", "kind"),
    [
        pytest.param([], False, End.CLOSED, "eof_before_headers", id="closed-at-once"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-"], False, End.CLOSED, "eof_before_headers", id="closed-in-the-head"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n"], False, End.CLOSED, "eof_before_headers", id="only-a-100"),
        pytest.param([], False, End.RESET, "reset", id="reset-at-once"),
        pytest.param([answer(body())[:-4]], False, End.RESET, "reset", id="reset-in-the-body"),
        pytest.param([answer(body())[:-4]], False, End.CLOSED, "truncated", id="closed-in-the-body"),
        pytest.param([], False, End.TIMEOUT, "first_byte_timeout", id="silence"),
        pytest.param([answer(body())[:20]], False, End.TIMEOUT, "body_timeout", id="stuck-in-the-head"),
        pytest.param(stream(chunk("a"), end=b""), True, End.TIMEOUT, "body_timeout", id="stuck-in-the-stream"),
        pytest.param(stream(chunk("a"), end=b""), True, End.DRAIN_ENDED, "drain_ended", id="drained"),
        pytest.param([], True, End.STOPPED, "stopped", id="stopped"),
        pytest.param([b"SSH-2.0-OpenSSH\r\n"], False, None, "bad_http", id="not-http"),
        pytest.param(
            [answer(body(), headers=["Content-Length: -1"], sized=False)], False, None, "bad_http", id="negative-length"
        ),
        pytest.param([answer(body(), headers=["Content-Length: 3"])], False, None, "bad_http", id="two-lengths"),
        pytest.param([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000], False, None, "headers_too_large", id="many-headers"),
        pytest.param([b"HTTP/1.1 200 OK\r\nX: "] + [b"a" * 10_000] * 7, False, None, "headers_too_large", id="a-long-header"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n" * 900] * 4, False, None, "headers_too_large", id="endless-100"),
        pytest.param([answer(b"", status="302 Found", headers=["Location: http://x/"])], False, None, "redirect", id="redirect"),
        pytest.param([answer(b"", status="304 Not Modified")], False, None, "redirect", id="not-modified"),
        pytest.param([answer(b"{}", status="404 Not Found")], False, None, "status_4xx", id="404"),
        pytest.param([answer(b"<html>", status="502 Bad Gateway", kind="text/html")], True, None, "status_5xx", id="502"),
        pytest.param([answer(b"{}", status="500 Oops")[:-1]], False, End.CLOSED, "status_5xx", id="500-cut-short"),
        pytest.param([answer(b"{}", status="500 Oops")[:-1]], False, End.RESET, "status_5xx", id="500-reset"),
        pytest.param([answer(b"", status="999 What")], False, None, "status_other", id="999"),
        pytest.param(
            [b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"],
            False,
            None,
            "status_other",
            id="101",
        ),
        pytest.param([answer(b"", status="204 No Content", kind=None, sized=False)], False, None, "empty_body", id="204"),
        pytest.param([answer(b"")], False, None, "empty_body", id="empty-200"),
        pytest.param([answer(body(), kind="text/html")], False, None, "wrong_content_type", id="html"),
        pytest.param([answer(body(), kind=None)], False, None, "wrong_content_type", id="no-content-type"),
        pytest.param([answer(body())], True, None, "wrong_content_type", id="json-for-a-stream"),
        pytest.param(
            [answer(chunk("a") + DONE, kind="text/event-stream")], False, None, "wrong_content_type", id="stream-for-json"
        ),
        pytest.param([answer(body(), headers=["Content-Encoding: gzip"])], False, None, "content_encoding", id="gzip"),
        pytest.param(
            [answer(chunk("a") + DONE, kind="text/event-stream", headers=["Content-Encoding: br"])],
            True,
            None,
            "content_encoding",
            id="compressed-stream",
        ),
        pytest.param([answer(b'{"choices": [')], False, None, "bad_json", id="cut-json"),
        pytest.param([answer(b"\xff\xfe{}")], False, None, "bad_json", id="not-utf-8"),
        pytest.param([answer(b"[" * 100_000)], False, None, "bad_json", id="deep-json"),
        pytest.param([answer(b"[]")], False, None, "bad_shape", id="json-list"),
        pytest.param([answer(b'{"choices": []}')], False, None, "bad_shape", id="no-choices"),
        pytest.param([answer(b'{"choices": [{}]}')], False, None, "bad_shape", id="no-message"),
        pytest.param([answer(body(""))], False, None, "no_content", id="empty-text"),
        pytest.param([answer(body(None))], False, None, "no_content", id="null-text"),
        pytest.param([answer(b'{"error": {"message": "no"}}')], False, None, "error_event", id="error-body"),
        pytest.param([answer(body("x" * 2_000_000))], False, None, "too_large", id="huge-body"),
        pytest.param(stream(chunk("a"), end=LAST), True, None, "no_done", id="no-done"),
        pytest.param(stream(chunk("a"), end=b""), True, End.CLOSED, "truncated", id="stream-cut"),
        pytest.param(stream(chunk("a"), end=b""), True, End.RESET, "reset", id="stream-reset"),
        pytest.param(stream(ROLE, USAGE, DONE), True, None, "no_content", id="no-content"),
        pytest.param(stream(chunk("a"), b"data: {broken\n\n", DONE), True, None, "bad_json", id="bad-chunk"),
        pytest.param(stream(chunk("a"), b"data: 1,2\n\n", DONE), True, None, "bad_json", id="two-values-in-a-chunk"),
        pytest.param(
            stream(chunk("a"), b"data: [1,\n\n", b"data: 2]\n\n", DONE), True, None, "bad_json", id="value-over-two-chunks"
        ),
        pytest.param(stream(chunk("a"), b"data: [1]\n\n", DONE), True, None, "bad_shape", id="odd-chunk"),
        pytest.param(stream(chunk("a"), b"data: " + b"x" * 1_100_000 + b"\n\n", DONE), True, None, "too_large", id="huge-event"),
        pytest.param(stream(b"data: " + b"x" * 1_100_000), True, End.TIMEOUT, "too_large", id="endless-event"),
    ],
)
def test_what_is_no_good_answer_has_its_kind(pieces: list[bytes], streamed: bool, end: End | None, kind: str) -> None:
    outcome = read(pieces, streamed=streamed, end=end)
    assert outcome.error_kind == kind
    assert outcome.result is RESULT_OF_KIND[ErrorKind(kind)]
    assert outcome.source is None
    assert outcome.refusal is None


@pytest.mark.parametrize("end", [End.CLOSED, End.RESET, End.TIMEOUT])
def test_an_error_event_says_more_than_how_its_stream_broke_off(end: End) -> None:
    error = b'data: {"error":{"type":"upstream_stream_error"}}\n\n'
    outcome = read(stream(chunk("a"), error, end=b""), streamed=True, end=end)
    assert (outcome.result, outcome.error_kind) == (Result.MALFORMED, "error_event")
    assert outcome.chunks == 1


def test_an_error_event_before_done_is_no_answer() -> None:
    outcome = read(stream(chunk("a"), b'data: {"error":"late"}\n\n', b"data: {broken\n\n", DONE), streamed=True)
    assert outcome.error_kind == "error_event"


@pytest.mark.parametrize("end", [End.CLOSED, End.RESET, End.TIMEOUT])
def test_a_stream_that_said_done_is_answered_however_its_connection_ends_but_that_is_not_used_again(end: End) -> None:
    outcome = read(stream(chunk("a"), DONE, end=b""), streamed=True, end=end)
    assert outcome.result is Result.ANSWERED
    assert outcome.ended_ns == 12 * MS
    assert not outcome.reusable


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    outcome = read([answer(body(), sized=False)])
    assert outcome.result is Result.ANSWERED
    assert not outcome.reusable


@pytest.mark.parametrize(
    "data",
    [
        answer(body(), headers=["Connection: close"]),
        answer(body()).replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer(body()) + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        answer(body()) + b"garbage",
        answer(body(), status="404 Not Found") + b"x",
    ],
)
def test_a_connection_that_says_close_or_too_much_is_not_used_again(data: bytes) -> None:
    assert not read([data]).reusable


def test_an_early_1xx_is_passed_over_with_its_headers() -> None:
    outcome = read([b"HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n", answer(body())])
    assert outcome.result is Result.ANSWERED
    assert outcome.first_byte_ns == 10 * MS


def test_a_body_beyond_the_cap_is_counted_and_not_kept() -> None:
    outcome = read([answer(body("x" * 5000))], max_body_bytes=1000)
    assert (len(outcome.body), outcome.error_kind) == (1000, "too_large")
    assert outcome.body_bytes == len(body("x" * 5000))


def test_a_long_stream_is_measured_beyond_what_is_kept_of_it() -> None:
    outcome = read(stream(*[chunk("word")] * 200, USAGE, DONE), streamed=True, max_body_bytes=1000)
    assert outcome.result is Result.ANSWERED
    assert (outcome.chunks, outcome.completion_tokens) == (200, 3)


@pytest.mark.parametrize(
    ("delta", "finish"),
    [({"tool_calls": [{"index": 0}]}, "tool_calls"), ({"refusal": "I cannot"}, "stop"), ({}, "content_filter")],
)
def test_a_tool_call_or_a_refusal_of_the_model_without_text_is_an_answer(delta: dict[str, object], finish: str) -> None:
    event = json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}, separators=(",", ":")).encode()
    assert read(stream(b"data: " + event + b"\n\n", DONE), streamed=True).result is Result.ANSWERED
    whole = {"choices": [{"message": {"content": None, **delta}, "finish_reason": finish}]}
    assert read([answer(json.dumps(whole).encode())]).result is Result.ANSWERED


@pytest.mark.parametrize("tokens", [-1, 2**40])
def test_a_token_count_that_makes_no_sense_is_none(tokens: int) -> None:
    assert read([answer(body(usage={"prompt_tokens": tokens, "completion_tokens": 3}))]).prompt_tokens is None


def test_what_a_good_answer_said_is_digested_only_where_it_is_asked_for() -> None:
    said = stream(ROLE, chunk("one "), chunk("two"), USAGE, DONE)
    assert read(said, streamed=True, digests=True).text_digest == text_digest("one two")
    assert read([answer(body("one two"))], digests=True).text_digest == text_digest("one two")
    assert read(said, streamed=True).text_digest is None
    assert read(stream(ROLE, chunk("one "), USAGE), streamed=True, digests=True).text_digest is None  # no good answer


def test_a_stream_of_which_not_all_was_kept_has_no_digest() -> None:
    long = stream(ROLE, *(chunk(f"word{number} ") for number in range(50)), USAGE, DONE)
    outcome = read(long, streamed=True, digests=True, max_body_bytes=600)
    assert (outcome.result, outcome.text_digest) == (Result.ANSWERED, None)
