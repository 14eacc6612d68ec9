"""The response parser against h11, another implementation of the same standard."""

from itertools import pairwise

import h11
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.exchange.response import Response

TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ-_0123456789", min_size=1, max_size=12)
VALUE = st.text("abc XYZ;=/\"'(),.:\t\x80\xe9", max_size=20).map(str.strip)
RESERVED = {"content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "te", "trailer", "proxy-connection"}
HEADERS = st.lists(st.tuples(TOKEN.filter(lambda name: name.lower() not in RESERVED), VALUE), max_size=6)
BODY = st.binary(max_size=200)


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """A well-formed answer in one of the framings, perhaps with a 1xx before it."""
    status = draw(st.sampled_from([200, 200, 200, 201, 204, 304, 400, 404, 429, 500, 503]))
    lines = [f"HTTP/1.1 {status} {draw(st.sampled_from(['OK', '', 'Not so good']))}"]
    lines += [f"{name}: {value}" for name, value in draw(HEADERS)]
    if draw(st.booleans()):
        lines.append(draw(st.sampled_from(["Connection: close", "connection: keep-alive"])))
    body = draw(BODY)
    framing = draw(st.sampled_from(["length", "chunked", "close"]))
    if status in (204, 304):
        payload = b""
    elif framing == "length":
        lines.append(f"Content-Length: {len(body)}")
        payload = body
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        places = sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=4))})
        parts = [body[start:end] for start, end in pairwise(places)]
        extension = draw(st.sampled_from([b"", b";a=b"]))
        payload = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
        payload += b"0\r\n" + draw(st.sampled_from([b"", b"X-Trailer: 1\r\n"])) + b"\r\n"
    else:
        payload = body
    early = draw(st.sampled_from(["", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"]))
    return (early + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + payload


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[start:end] for start, end in pairwise(places)]


def by_us(pieces: list[bytes]) -> tuple[bool, int | None, dict[bytes, bytes], bytes]:
    response, body = Response(), b""
    for piece in pieces:
        body += response.feed(piece)
    response.closed()
    return response.complete and response.broken is None, response.status_code, response.headers, body


def by_h11(pieces: list[bytes]) -> tuple[bool, int | None, dict[bytes, bytes], bytes]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    status: int | None = None
    headers: dict[bytes, bytes] = {}
    body = b""
    try:
        for piece in [*pieces, b""]:
            connection.receive_data(piece)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Response):
                    status = event.status_code
                    for name, value in event.headers:
                        headers[name] = headers[name] + b", " + value if name in headers else value
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    return True, status, headers, body
                elif isinstance(event, h11.ConnectionClosed):
                    return False, status, headers, body
    except h11.RemoteProtocolError:
        return False, status, headers, body
    return False, status, headers, body


@settings(deadline=None, max_examples=400)
@given(responses(), st.lists(st.integers(0, 600), max_size=10))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", list(range(64)))
def test_a_well_formed_answer_reads_as_h11_reads_it_wherever_it_is_split(data: bytes, cuts: list[int]) -> None:
    ours = by_us(split(data, cuts))
    assert ours[0]
    assert ours == by_h11(split(data, []))


@settings(deadline=None, max_examples=300)
@given(responses(), st.integers(0, 600), st.lists(st.integers(0, 600), max_size=5))
def test_an_answer_cut_anywhere_is_whole_only_where_h11_says_so(data: bytes, length: int, cuts: list[int]) -> None:
    pieces = split(data[:length], cuts)
    theirs = by_h11(pieces)
    ours = by_us(pieces)
    assert ours[0] == theirs[0]
    if theirs[0]:
        assert ours == theirs


@settings(deadline=None, max_examples=300)
@given(responses(), st.integers(0, 400), st.binary(min_size=1, max_size=3), st.lists(st.integers(0, 600), max_size=5))
def test_a_damaged_answer_reads_the_same_wherever_it_is_split(data: bytes, at: int, damage: bytes, cuts: list[int]) -> None:
    damaged = data[:at] + damage + data[at + len(damage) :]
    whole, pieces = by_us(split(damaged, [])), by_us(split(damaged, cuts))
    assert whole[0] == pieces[0]
    if whole[0]:
        assert whole == pieces
        theirs = by_h11(split(damaged, []))
        if theirs[0]:  # the two differ in what they forgive; never in what a forgiven answer says
            assert (whole[1], whole[3]) == (theirs[1], theirs[3])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=100), max_size=20))
def test_no_bytes_at_all_make_it_raise(pieces: list[bytes]) -> None:
    by_us(pieces)
