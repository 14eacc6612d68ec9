import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.exchange.events import EventStream, carries_content

FAR = 1 << 20


@settings(deadline=None)
@given(st.text(min_size=1), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :\t")]))
def test_any_text_is_content_however_it_is_written(text: str, ascii_only: bool, separators: tuple[str, str]) -> None:
    document = {"choices": [{"delta": {"role": "assistant", "content": text}}]}
    written = json.dumps(document, ensure_ascii=ascii_only, separators=separators).encode("utf-8", "surrogatepass")
    assert carries_content(written.replace(b'"content" :', b'"content":'))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["role", "refusal", "name"]), st.text()))
def test_text_elsewhere_is_not_content_even_when_it_quotes_the_key(delta: dict[str, str]) -> None:
    delta["role"] = '"content":"x" \\"content\\":\\"y\\"'
    assert not carries_content(json.dumps({"choices": [{"delta": {**delta, "content": ""}}]}).encode())
    assert not carries_content(json.dumps({"choices": [{"delta": {**delta, "content": None}}]}).encode())
    assert not carries_content(json.dumps({"choices": [{"delta": delta, "logprobs": {"content": []}}]}).encode())


def test_content_after_an_empty_one_is_found() -> None:
    assert carries_content(b'{"choices":[{"logprobs":{"content":[]},"delta":{"content":"x"}}]}')


WIRE = (
    b": keep-alive\n\n"
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
    b'event: message\ndata:{"choices":[{"delta":{"content":"b"}}]}\nid: 3\n\n\n'
    b'data: {"choices":[{"delta":\ndata: {"content":"c"}}]}\n\n'
    b"data:\n\n"
    b"data: [DONE]\n\n"
)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@settings(deadline=None)
@given(st.lists(st.integers(0, len(WIRE) * 2), max_size=12))
@example(list(range(len(WIRE) * 2)))
def test_events_are_the_same_wherever_the_bytes_are_split(line_end: bytes, cuts: list[int]) -> None:
    wire = WIRE.replace(b"\n", line_end)
    events = EventStream(FAR)
    places = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    for start, end in pairwise(places):
        events.feed(wire[start:end], start)
    events.closed(len(wire))
    assert events.chunks == 3
    assert events.done_ns is not None
    assert [json.loads(payload)["choices"][0]["delta"]["content"] for payload in events.payloads] == ["a", "b", "c"]


def test_an_event_is_dated_by_the_byte_that_completed_it() -> None:
    events = EventStream(FAR)
    event = b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
    events.feed(event[:-1], 1)
    assert events.first_content_ns is None
    events.feed(event[-1:], 2)
    assert events.first_content_ns == 2


def test_nothing_after_done_counts() -> None:
    events = EventStream(FAR)
    events.feed(b'data: [DONE]\n\ndata: {"choices":[{"delta":{"content":"a"}}]}\n\n', 1)
    assert (events.chunks, events.payloads) == (0, [])


def test_memory_is_bounded_for_an_endless_stream() -> None:
    events = EventStream(1000)
    for moment in range(70_000):
        events.feed(b'data: {"choices":[{"delta":{"content":"abc"}}]}\n\n', moment)
    assert events.chunks == 70_000
    assert sum(map(len, events.payloads)) < 1200
    assert len(events.gaps_ns) == EventStream.MAX_GAPS
    assert events.dropped + len(events.payloads) == 70_000
