"""Every provider fault seen from outside, on the wire, and seen gone after clearing."""

import concurrent.futures
import email.utils
import json
import time

import pytest
from provider_under_test import ask, chat, connect, read_answer, request_bytes, running_provider, streamed

from harness.provider.faults import KINDS


@pytest.fixture(scope="module")
def process():
    with running_provider("--seed", "3") as provider:
        yield provider


@pytest.fixture
def provider(process):
    process.ask_control("POST", "/reset")
    return process


def assert_healthy(provider):
    """The same questions, answered as if nothing had been."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, provider, chat(max_tokens=6))
        stream = ask(provider, streamed(max_tokens=6))
        whole = json.loads(asked.result().body)
    assert stream.status_code == 200
    assert stream.terminated
    assert stream.events[-1] == "[DONE]"
    assert len(stream.words) == 6
    assert stream.usage["completion_tokens"] == 6
    assert whole["model"] == "sim-small"
    assert whole["choices"][0]["message"]["content"] == "".join(stream.words)


def assert_gone(provider, kind, acted):
    assert provider.acted(kind) == acted
    assert provider.clear_faults() == {kind: acted}
    assert provider.ask_control("GET", "/faults").json() == []
    assert_healthy(provider)
    cleared = provider.ask_control("GET", "/faults?cleared=1").json()
    assert [(fault["kind"], fault["acted"], fault["cleared_by"]) for fault in cleared] == [(kind, acted, "request")]


def test_without_faults_all_is_well(provider):
    assert_healthy(provider)


def test_status_refuses_with_the_retry_after_that_was_asked_for(provider):
    provider.set_fault("status", {"code": 429, "retry_after": "7"})
    answer = ask(provider, streamed())
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"
    assert json.loads(answer.body)["error"]["code"] == "rate_limit_exceeded"
    provider.set_fault("status", {"code": 503, "retry_after": "date+60"})
    answer = ask(provider, chat())
    ahead_s = email.utils.parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - time.time()
    assert 50 < ahead_s <= 61
    provider.set_fault("status", {"code": 500})
    assert "retry-after" not in ask(provider, chat()).headers
    provider.clear_faults()
    assert_healthy(provider)
    assert provider.ask_control("GET", "/meter").json()[0]["calls"] == 2


def test_slow_headers_come_late_and_whole(provider):
    provider.set_fault("slow_headers", {"delay_ms": 400})
    began_ns = time.monotonic_ns()
    answer = ask(provider, streamed(max_tokens=2))
    assert answer.reads[0][0] - began_ns >= 400e6
    assert len(answer.words) == 2
    assert_gone(provider, "slow_headers", 1)


@pytest.mark.parametrize("body", [streamed(max_tokens=2), chat(max_tokens=2)], ids=["stream", "whole"])
def test_slow_headers_trickle_in_pieces(provider, body):
    provider.set_fault("slow_headers", {"delay_ms": 300, "trickle": True})
    answer = ask(provider, body)
    assert answer.status_code == 200
    partial = 0
    seen = b""
    for _, data in answer.reads:
        seen += data
        partial += b"\r\n\r\n" not in seen
    assert partial >= 5
    assert_gone(provider, "slow_headers", 1)


def test_slow_first_token_comes_long_after_the_headers(provider):
    provider.set_fault("slow_first_token", {"delay_ms": 500})
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed(max_tokens=2)))
        began_ns = time.monotonic_ns()
        head = read_answer(connection, until=b'"assistant"')
        rest = read_answer(connection, until=b'"content":"')
    assert head.status_code == 200
    assert head.reads[0][0] - began_ns < 400e6
    assert rest.reads[-1][0] - began_ns >= 500e6
    provider.calls(at_least=1)
    assert_gone(provider, "slow_first_token", 1)


def test_a_stalled_stream_waits_for_the_fault_to_be_removed(provider):
    provider.set_fault("stall", {"after_chunks": 2})
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(request_bytes(streamed(max_tokens=6)))
        before = read_answer(connection, for_s=1.5)
        assert before.end == "open"
        assert len(before.words) == 2
        assert provider.ask_control("GET", "/faults").json()[0]["held"] == 1
        assert provider.clear_faults() == {"stall": 1}
        after = read_answer(connection, until=b"[DONE]\n\n\r\n0\r\n\r\n")
    assert after.raw.count(b'"content":"') == 4
    assert after.terminated
    assert_healthy(provider)


def test_a_stall_ends_by_itself_where_a_time_is_given(provider):
    provider.set_fault("stall", {"after_chunks": 1, "for_ms": 300})
    answer = ask(provider, streamed(max_tokens=3))
    assert len(answer.words) == 3
    assert provider.calls(1)[0]["gap_max_ns"] >= 300e6
    assert_gone(provider, "stall", 1)


def test_a_whole_answer_stalls_in_the_middle_of_its_body(provider):
    provider.set_fault("stall")
    answer = ask(provider, chat(max_tokens=5), for_s=1.5)
    assert answer.status_code == 200
    assert 0 < len(answer.body) < int(answer.headers["content-length"])
    provider.calls(at_least=1)
    assert_gone(provider, "stall", 1)


@pytest.mark.parametrize(("how", "end"), [("clean", "fin"), ("rst", "rst"), ("half_chunk", "fin")])
def test_a_cut_stream_ends_without_its_terminator(provider, how, end):
    provider.set_fault("cut", {"after_chunks": 3, "how": how})
    answer = ask(provider, streamed(max_tokens=6))
    assert answer.end == end
    assert not answer.terminated
    assert len(answer.words) == 3
    last_chunk = answer.raw.rpartition(b"data: ")[2]
    assert last_chunk.endswith(b"\n\n\r\n") is (how != "half_chunk")
    assert (provider.calls(1)[0]["ended"], provider.calls(1)[0]["completion_tokens"]) == ("cut", 3)
    assert_gone(provider, "cut", 1)


@pytest.mark.parametrize(("how", "end"), [("clean", "fin"), ("rst", "rst")])
def test_a_whole_answer_is_cut_in_its_body(provider, how, end):
    provider.set_fault("cut", {"how": how})
    answer = ask(provider, chat(max_tokens=6))
    assert answer.end == end
    assert 0 < len(answer.body) < int(answer.headers["content-length"])
    assert_gone(provider, "cut", 1)


def test_a_stream_shorter_than_the_cut_is_not_touched(provider):
    provider.set_fault("cut", {"after_chunks": 50})
    assert ask(provider, streamed(max_tokens=6)).terminated
    assert provider.calls(1)[0]["fault"] is None
    assert_gone(provider, "cut", 0)


def test_an_error_event_ends_a_stream_that_began_with_200(provider):
    provider.set_fault("error_event", {"after_chunks": 2})
    answer = ask(provider, streamed(max_tokens=6))
    assert answer.status_code == 200
    assert len(answer.words) == 2
    assert json.loads(answer.events[-1])["error"]["type"] == "server_error"
    assert "[DONE]" not in answer.events
    assert_gone(provider, "error_event", 1)


def test_an_error_event_in_a_whole_answer_is_an_error_with_status_200(provider):
    provider.set_fault("error_event")
    answer = ask(provider, chat(max_tokens=6))
    assert answer.status_code == 200
    assert "choices" not in json.loads(answer.body)
    assert_gone(provider, "error_event", 1)


@pytest.mark.parametrize("body", [streamed(max_tokens=3), chat(max_tokens=3)], ids=["stream", "whole"])
def test_wrong_content_type_is_what_the_header_says(provider, body):
    provider.set_fault("wrong_content_type", {"content_type": "text/plain"})
    answer = ask(provider, body)
    assert answer.headers["content-type"] == "text/plain"
    assert_gone(provider, "wrong_content_type", 1)


def test_malformed_json_is_one_event_of_a_stream_that_goes_on(provider):
    provider.set_fault("malformed_json", {"after_chunks": 2})
    answer = ask(provider, streamed(max_tokens=4))
    bad = []
    for number, event in enumerate(answer.events[:-1]):
        try:
            json.loads(event)
        except ValueError:
            bad.append(number)
    assert bad == [3]  # behind the role and two content chunks
    assert answer.events[-1] == "[DONE]"
    assert_gone(provider, "malformed_json", 1)


def test_malformed_json_cuts_a_whole_body_at_a_length_that_fits(provider):
    provider.set_fault("malformed_json")
    answer = ask(provider, chat(max_tokens=4))
    assert len(answer.body) == int(answer.headers["content-length"])
    with pytest.raises(ValueError):
        json.loads(answer.body)
    assert_gone(provider, "malformed_json", 1)


def test_missing_done_leaves_a_stream_otherwise_in_order(provider):
    provider.set_fault("missing_done")
    answer = ask(provider, streamed(max_tokens=4))
    assert answer.terminated
    assert "[DONE]" not in answer.events
    assert answer.chunks[-1]["usage"]["completion_tokens"] == 4
    ask(provider, chat(max_tokens=4))
    assert_gone(provider, "missing_done", 1)


def test_missing_usage_hides_the_bill_and_the_meter_still_counts(provider):
    provider.set_fault("missing_usage")
    assert ask(provider, streamed(max_tokens=4)).usage is None
    assert "usage" not in json.loads(ask(provider, chat(max_tokens=4)).body)
    ask(provider, chat(max_tokens=4, stream=True))  # none was due: not touched
    assert provider.ask_control("GET", "/meter").json()[0]["completion_tokens"] == 12
    assert_gone(provider, "missing_usage", 2)


def test_wrong_usage_shows_another_bill_than_the_meter(provider):
    provider.set_fault("wrong_usage", {"factor": 3})
    assert ask(provider, streamed(max_tokens=4)).usage["completion_tokens"] == 12
    assert provider.ask_control("GET", "/meter").json()[0]["completion_tokens"] == 4
    assert provider.calls(1)[0]["completion_tokens"] == 4
    assert_gone(provider, "wrong_usage", 1)


@pytest.mark.parametrize("stream", [True, False])
def test_usage_above_bills_more_than_was_reserved(provider, stream):
    provider.set_fault("usage_above", {"factor": 2.5})
    answer = ask(provider, streamed(max_tokens=4) if stream else chat(max_tokens=4))
    shown = answer.usage if stream else json.loads(answer.body)["usage"]
    assert shown["completion_tokens"] == 10
    assert provider.calls(1)[0]["completion_tokens"] == 10
    assert provider.ask_control("GET", "/meter").json()[0]["completion_tokens"] == 10
    assert_gone(provider, "usage_above", 1)


def test_duplicate_chunks_come_twice_and_are_billed_once(provider):
    provider.set_fault("duplicate_chunks")
    words = ask(provider, streamed(max_tokens=3)).words
    assert len(words) == 6
    assert words[::2] == words[1::2]
    assert (provider.calls(1)[0]["chunks"], provider.calls(1)[0]["completion_tokens"]) == (6, 3)
    assert_gone(provider, "duplicate_chunks", 1)


def test_empty_choices_leave_no_content(provider):
    provider.set_fault("empty_choices")
    answer = ask(provider, streamed(max_tokens=3))
    assert answer.words == []
    assert sum(chunk["choices"] == [] for chunk in answer.chunks) == 4  # three tokens and the usage
    assert json.loads(ask(provider, chat(max_tokens=3)).body)["choices"] == []
    assert_gone(provider, "empty_choices", 2)


def test_empty_choices_before_the_content_leave_it_whole(provider):
    provider.set_fault("empty_choices", {"chunks": 2})
    answer = ask(provider, streamed(max_tokens=3))
    assert [chunk["choices"] == [] for chunk in answer.chunks] == [False, True, True, False, False, False, False, True]
    assert len(answer.words) == 3
    assert_gone(provider, "empty_choices", 1)


def test_a_huge_answer_minds_no_max_tokens(provider):
    provider.set_fault("huge_answer", {"tokens": 150})
    assert len(ask(provider, streamed(max_tokens=6)).words) == 150
    assert provider.ask_control("GET", "/meter").json()[0]["completion_tokens"] == 150
    assert_gone(provider, "huge_answer", 1)


def test_leaked_data_stands_in_the_answer_and_in_no_single_chunk(provider):
    provider.set_fault("leak_pii", {"what": "email"})
    words = ask(provider, streamed("a long answer please")).words
    assert "jane.roe@example.com" in "".join(words)
    assert not any("jane.roe@example.com" in word for word in words)
    provider.set_fault("leak_pii", {"what": "ssn", "split": False})
    words = ask(provider, streamed("a long answer please")).words
    assert any("078-05-1120" in word for word in words)
    provider.clear_faults()
    assert_healthy(provider)


def test_a_leak_stays_within_max_tokens(provider):
    provider.set_fault("leak_pii", {"what": "email"})
    answer = ask(provider, streamed(max_tokens=6))
    assert "jane.roe@example.com" in "".join(answer.words)
    assert answer.usage["completion_tokens"] == 6
    assert_gone(provider, "leak_pii", 1)


@pytest.mark.parametrize(
    ("what", "text"),
    [("instruction", "Ignore all previous"), ("markdown_image", "![status]("), ("html", "<script>"), ("control", "\x1b[2J")],
)
def test_an_injection_stands_in_the_answer(provider, what, text):
    provider.set_fault("inject", {"what": what})
    whole = json.loads(ask(provider, chat("a long answer please")).body)
    assert text in whole["choices"][0]["message"]["content"]
    assert_gone(provider, "inject", 1)


def test_a_refusal_has_the_shape_that_was_asked_for(provider):
    provider.set_fault("refuse_content", {"how": "text"})
    assert "".join(ask(provider, streamed()).words) == "I'm sorry, but I can't help with that."
    provider.set_fault("refuse_content", {"how": "refusal_field"})
    message = json.loads(ask(provider, chat()).body)["choices"][0]["message"]
    assert message["content"] is None
    assert message["refusal"].startswith("I'm sorry")
    provider.set_fault("refuse_content", {"how": "content_filter"})
    assert ask(provider, streamed()).chunks[-2]["choices"][0]["finish_reason"] == "content_filter"
    provider.clear_faults()
    assert_healthy(provider)


def test_wrong_model_signs_with_another_name(provider):
    provider.set_fault("wrong_model", {"model": "somebody-else"})
    assert {chunk["model"] for chunk in ask(provider, streamed(max_tokens=2)).chunks} == {"somebody-else"}
    assert provider.calls(1)[0]["model"] == "sim-small"
    assert_gone(provider, "wrong_model", 1)


def test_overload_serves_some_queues_some_and_refuses_the_rest(provider):
    provider.set_fault("overload", {"concurrency": 2, "queue": 2, "code": 503, "retry_after_s": 4})
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: ask(provider, streamed(f"question {n}", max_tokens=3)), range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [503] * 2
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 503} == {"4"}
    calls = [call for call in provider.calls(6) if call["status_code"] == 200]
    under_way = 0
    edges = [(call["received_ns"] if call["fault"] is None else call["first_content_ns"] - 1, 1) for call in calls]
    for _, edge in sorted(edges + [(call["ended_ns"], -1) for call in calls]):
        under_way += edge
        assert under_way <= 2
    assert_gone(provider, "overload", 4)


def test_a_rate_limit_serves_so_many_in_a_window_and_says_when_the_next_begins(provider):
    provider.set_fault("rate_limit", {"calls": 2, "window_s": 60, "retry_after": True})
    answers = [ask(provider, streamed(max_tokens=2)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert 30 < int(answers[2].headers["retry-after"]) <= 60
    assert json.loads(answers[2].body)["error"]["code"] == "rate_limit_exceeded"
    assert [call["status_code"] for call in provider.calls(4)] == [200, 200, 429, 429]
    assert_gone(provider, "rate_limit", 2)


def test_whoever_waits_as_long_as_a_rate_limit_says_is_served(provider):
    provider.set_fault("rate_limit", {"calls": 1, "window_s": 0.8})
    assert ask(provider, streamed(max_tokens=1)).status_code == 200
    refused = ask(provider, streamed(max_tokens=1))
    if refused.status_code == 429:  # else the first answer took the window, on a machine that is busy
        assert refused.headers["retry-after"] == "1"
        time.sleep(int(refused.headers["retry-after"]))
        assert ask(provider, streamed(max_tokens=1)).status_code == 200
    provider.set_fault("rate_limit", {"calls": 0, "retry_after": False})
    assert "retry-after" not in ask(provider, streamed(max_tokens=1)).headers
    provider.clear_faults()
    assert_healthy(provider)


def test_clearing_an_overload_serves_its_queue(provider):
    provider.set_fault("stall")
    provider.set_fault("overload", {"concurrency": 1, "queue": 5})
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask, provider, streamed(f"question {n}", max_tokens=3)) for n in range(3)]
        deadline = time.monotonic() + 5
        while sum(fault["held"] for fault in provider.ask_control("GET", "/faults").json()) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(answer.done() for answer in answers)
        provider.clear_faults()
        assert [answer.result().terminated for answer in answers] == [True] * 3
    assert_healthy(provider)


def test_a_brown_out_slows_only_what_is_above_the_knee(provider):
    provider.set_fault("brown_out", {"knee": 1, "slope": 20, "ceiling": 21})
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda n: ask(provider, streamed("the same", max_tokens=5)), range(2)))
    assert max(content_took_ns(answer) for answer in answers) >= 300e6, "as the wire showed it"
    first, second = sorted(provider.calls(2), key=lambda call: call["received_ns"])
    assert first["fault"] is None
    assert second["fault"] == "brown_out"
    assert second["last_content_ns"] - second["first_content_ns"] >= 300e6  # four gaps of 105 ms; the first may have been late
    assert_gone(provider, "brown_out", 1)
    deadline = time.monotonic() + 10
    while content_took_ns(ask(provider, streamed("the same", max_tokens=5))) >= 200e6:
        assert time.monotonic() < deadline, "four gaps of 5 ms take a tenth of what they took"


def content_took_ns(answer):
    """From the read of the first token to the read of the last."""
    moments = [moment for moment, data in answer.reads if b'"content":"' in data]
    return moments[-1] - moments[0]


@pytest.mark.parametrize(("how", "end"), [("clean", "fin"), ("rst", "rst")])
def test_an_outage_hangs_up_before_any_byte_on_one_endpoint_alone(provider, how, end):
    provider.set_fault("outage", {"how": how})
    answer = ask(provider, streamed())
    assert (answer.raw, answer.end) == (b"", end)
    assert ask(provider, chat(max_tokens=2), endpoint="secondary").status_code == 200
    assert (provider.calls(2)[0]["ended"], provider.calls(2)[0]["status_code"]) == ("cut", None)
    with connect(provider.endpoints["primary"]) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nhost: p\r\nauthorization: Bearer k\r\n\r\n")
        assert read_answer(connection).end == end
    assert_gone(provider, "outage", 2)


def test_every_kind_of_fault_is_tested_here(request):
    source = request.path.read_text()
    assert [kind for kind in KINDS if f'set_fault("{kind}"' not in source] == []
