"""Requests picked out of an HTTP connection: framing in any pieces, the trigger's rules, and the order of bytes."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.faultproxy.conversation import Conversation
from harness.faultproxy.failure import ApiError
from harness.faultproxy.framing import Head
from harness.faultproxy.reader import Part
from harness.faultproxy.requests import Requests, checked_requests

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"POST /c HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5;x=1\r\nGET /\r\n3\r\nabc\r\n0\r\nt: 1\r\n\r\n"
HEAD = b"HEAD /d HTTP/1.1\r\n\r\n"

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nHTTP/1.1 200 OK\n\r\n0\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN
HEADED = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"
NONE = b"HTTP/1.1 204 No Content\r\n\r\n"
ENDLESS = b"HTTP/1.0 200 OK\r\n\r\nto the very end"

PAIRS = [(GET, PLAIN), (POST, STREAM), (CHUNKED, CONTINUED), (HEAD, HEADED), (POST, NONE)]


def talk(joining: bool = False, **trigger: str | float) -> Conversation:
    """Return a conversation under a trigger."""
    return Conversation(Requests(trigger, seed="s"), joining=joining)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """Return the data in pieces."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if end > start]


def messages(parts: list[Part]) -> list[tuple[bytes, bool]]:
    """Return each message with whether it was picked."""
    found: list[tuple[bytes, bool]] = []
    for part in parts:
        if part.begins:
            found.append((part.data, part.picked))
        else:
            found[-1] = (found[-1][0] + part.data, found[-1][1])
    return found


@settings(max_examples=150, deadline=None)
@given(
    order=st.lists(st.integers(0, len(PAIRS) - 1), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
    more_cuts=st.lists(st.integers(0, 10_000), max_size=12),
)
def test_whatever_pieces_they_come_in_messages_are_told_apart_and_no_byte_is_lost(
    order: list[int], cuts: list[int], more_cuts: list[int]
) -> None:
    conversation = talk(every_nth=2)
    asked = b"".join(PAIRS[index][0] for index in order)
    answered = b"".join(PAIRS[index][1] for index in order)
    parts = [part for piece in split(asked, cuts) for part in conversation.requests.feed(piece)]
    assert messages(parts) == [(PAIRS[index][0], place % 2 == 1) for place, index in enumerate(order)]
    parts = [part for piece in split(answered, more_cuts) for part in conversation.answers.feed(piece)]
    expected = []
    for place, index in enumerate(order):
        picked = place % 2 == 1
        interim, rest = (PAIRS[index][1][:25], PAIRS[index][1][25:]) if index == 2 else (b"", PAIRS[index][1])
        expected += ([(interim, picked)] if interim else []) + [(rest, picked)]
    assert messages(parts) == expected


def test_an_answer_without_a_length_goes_on_to_the_end():
    conversation = talk()
    list(conversation.requests.feed(GET))
    parts = [*conversation.answers.feed(ENDLESS), *conversation.answers.feed(b"HTTP/1.1 200 OK\r\n\r\n")]
    assert all(part.picked for part in parts)
    assert sum(part.begins for part in parts) == 1
    assert conversation.answers.in_picked


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"*1\r\n$4\r\nPING\r\n",
        b"GET nonsense\r\n\r\n" * 3,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 70_000,
    ],
)
def test_what_is_no_http_passes_untouched_at_once_and_counts_for_nothing_more(noise: bytes) -> None:
    conversation = talk()
    out = b"".join(part.data for part in conversation.requests.feed(noise))
    assert out == noise
    assert [part.picked for part in conversation.requests.feed(b"more")] == [False]
    assert [part.picked for part in conversation.answers.feed(b"\x00anything")] == [False]


def test_a_connection_that_was_there_before_is_joined_at_its_next_request():
    conversation = talk(joining=True)
    assert [part.picked for part in conversation.requests.feed(b"the rest of a body")] == [False]
    assert [part.picked for part in conversation.answers.feed(b"the rest of an answer")] == [False]
    assert all(part.picked for part in conversation.requests.feed(POST))
    assert messages(list(conversation.answers.feed(PLAIN))) == [(PLAIN, True)]


def test_after_a_lost_stretch_the_next_request_is_met_again():
    conversation = talk(nth=2)
    list(conversation.requests.feed(GET))
    list(conversation.requests.feed(b"\x00\x01 lost"))
    assert [part.picked for part in conversation.requests.feed(GET)] == [True]
    assert messages(list(conversation.answers.feed(PLAIN))) == [(PLAIN, True)]


def head(method: str = "POST", path: str = "/v1/chat/completions?x=1", **fields: str) -> Head:
    return Head(first=method, second=path, fields={name.replace("_", "-"): value for name, value in fields.items()})


@pytest.mark.parametrize(
    ("trigger", "given_head", "picked"),
    [
        ({}, head(), True),
        ({"method": "POST"}, head(), True),
        ({"method": "GET"}, head(), False),
        ({"path": "/v1/chat/*"}, head(), True),
        ({"path": "/v1/chat/completions"}, head(), True),
        ({"path": "/v1/embeddings"}, head(), False),
        ({"header": "X-Tenant"}, head(x_tenant="acme"), True),
        ({"header": "x-tenant: acme"}, head(x_tenant="acme"), True),
        ({"header": "x-tenant: acme"}, head(x_tenant="other"), False),
        ({"header": "x-tenant"}, head(), False),
        ({"key": "ca978112ca1b"}, head(authorization="Bearer a"), True),
        ({"key": "ca978112ca1b"}, head(authorization="Bearer b"), False),
        ({"key": "ca978112ca1b"}, head(), False),
        ({}, head("GET", "/harness-probe"), False),
    ],
)
def test_filters(trigger: dict[str, str], given_head: Head, picked: bool) -> None:
    assert Requests(trigger, seed="s").picks(given_head) is picked


@pytest.mark.parametrize(
    ("trigger", "picked"),
    [
        ({"nth": 2}, [False, True, False, False, False, False]),
        ({"every_nth": 2}, [False, True, False, True, False, True]),
        ({"first_n": 2}, [True, True, False, False, False, False]),
        ({"share": 0.0}, [False] * 6),
        ({"share": 1.0}, [True] * 6),
    ],
)
def test_counting_rules_count_what_the_filters_let_through(trigger: dict[str, float], picked: list[bool]) -> None:
    requests = Requests(trigger | {"method": "POST"}, seed="s")
    found = []
    for _ in range(6):
        assert requests.picks(head("GET")) is False
        found.append(requests.picks(head()))
    assert found == picked


def test_a_share_is_drawn_alike_from_the_same_seed_and_otherwise_from_another():
    def drawn(seed: str) -> list[bool]:
        requests = Requests({"share": 0.3}, seed=seed)
        return [requests.picks(head()) for _ in range(1000)]

    assert drawn("a") == drawn("a")
    assert drawn("a") != drawn("b")
    assert 240 < sum(drawn("a")) < 360


@pytest.mark.parametrize(
    ("given_fields", "message"),
    [
        ({"nht": 2}, "requests has no 'nht'; allowed: share, nth, every_nth, first_n, method, path, header, key"),
        ({"nth": 0}, "requests.nth is 0; allowed: whole numbers from 1 to 1e+09"),
        ({"nth": True}, "requests.nth is True; allowed"),
        ({"nth": 1.5}, "requests.nth is 1.5; allowed"),
        ({"share": 1.1}, "requests.share is 1.1; allowed: numbers from 0 to 1"),
        ({"share": float("nan")}, "requests.share is nan; allowed"),
        ({"path": ""}, "requests.path is ''; allowed: text of 1 to 500 printable characters"),
        ({"header": "x\r\ny"}, "requests.header is"),
        ({"nth": 1, "share": 0.5}, "requests.share and requests.nth exclude each other"),
    ],
)
def test_a_trigger_that_cannot_be_is_refused_with_what_is_allowed(given_fields: dict[str, object], message: str) -> None:
    with pytest.raises(ApiError) as refused:
        checked_requests(given_fields, seed="s")
    assert message in refused.value.message
