"""Server-sent events, scanned as they arrive: the loop tells tokens from framing by bytes and parses no JSON.

Parsing each event when it arrives delays every other stream of the process; the events are decoded once, at the end.
Source: `benchmarks/`, docs/decisions/0011-scan-streams-parse-once.md
"""

from array import array

_CONTENT = b'"content":'
_TEXT = b'"content":"'
_QUOTE = 34


def carries_content(payload: bytes) -> bool:
    """Return True when a chat chunk holds non-empty text: some `"content":` is followed by a string that is not empty.

    A role-only delta, null and "" are not content; an escaped quote inside a text cannot look like the key.
    """
    at = payload.find(_TEXT) + len(_TEXT)
    if len(_TEXT) <= at < len(payload) and payload[at] != _QUOTE:
        return True  # what nearly every chunk is
    at = payload.find(_CONTENT)
    while at >= 0:
        at += 10
        while payload[at : at + 1] in (b" ", b"\t"):
            at += 1
        if payload[at : at + 1] == b'"' and payload[at + 1 : at + 2] not in (b'"', b""):
            return True
        at = payload.find(_CONTENT, at)
    return False


class EventStream:
    """The events of one answer. Moments are those given to `feed`, in nanoseconds.

    payloads: the data of the events before `[DONE]`, up to `max_kept_bytes`, and always the last two.
    dropped: events not kept. overlong: one event was larger than `max_kept_bytes`; nothing is read after it.
    gaps_ns: between content chunks, the first `MAX_GAPS` of them.
    """

    MAX_GAPS = 65_536

    __slots__ = (
        "_buffer",
        "_kept_bytes",
        "_last",
        "_max_kept_bytes",
        "_searched",
        "_trailing_cr",
        "chunks",
        "done_ns",
        "dropped",
        "first_content_ns",
        "gap_max_ns",
        "gaps_ns",
        "kept",
        "last_content_ns",
        "overlong",
    )

    def __init__(self, max_kept_bytes: int) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._trailing_cr = False
        self._max_kept_bytes = max_kept_bytes
        self._kept_bytes = 0
        self._last: list[bytes] = []
        self.kept: list[bytes] = []
        self.dropped = 0
        self.overlong = False
        self.chunks = 0
        self.done_ns: int | None = None
        self.first_content_ns: int | None = None
        self.last_content_ns: int | None = None
        self.gap_max_ns: int | None = None
        self.gaps_ns = array("q")

    @property
    def payloads(self) -> list[bytes]:
        """The kept data, in order."""
        return self.kept + self._last

    def gap_p95_ns(self) -> int | None:
        """Return the nearest-rank 95th percentile of the kept gaps; None with fewer than two content chunks."""
        if not self.gaps_ns:
            return None
        ordered = sorted(self.gaps_ns)
        return ordered[-(-len(ordered) * 95 // 100) - 1]

    def feed(self, body: bytes, at_ns: int) -> None:
        """Take body bytes that arrived at `at_ns`."""
        if self.overlong or self.done_ns is not None:
            return
        if self._trailing_cr or b"\r" in body:
            body = self._with_plain_line_ends(body)
        buffer = self._buffer
        if not buffer and 2 < len(body) <= self._max_kept_bytes and body.find(b"\n\n") == len(body) - 2:
            self._event(body[:-2], at_ns)  # one whole event, as nearly all come: nothing to put together
            return
        buffer += body
        start = 0
        end = buffer.find(b"\n\n", self._searched)
        while end >= 0 and end - start <= self._max_kept_bytes and self.done_ns is None:
            if end > start:
                self._event(bytes(buffer[start:end]), at_ns)
            start = end + 2
            end = buffer.find(b"\n\n", start)
        if start:
            del buffer[:start]
        self._searched = max(0, len(buffer) - 1)
        if len(buffer) > self._max_kept_bytes and self.done_ns is None:
            self.overlong = True
            buffer.clear()

    def closed(self, at_ns: int) -> None:
        """Take the end of the body: an event whose blank line is missing still counts, as clients read it."""
        if self._buffer and not self.overlong and self.done_ns is None:
            self._event(bytes(self._buffer), at_ns)
            self._buffer.clear()

    def _event(self, block: bytes, at_ns: int) -> None:
        as_usual = block[:6] == b"data: " and b"\n" not in block  # what everybody sends, and the quick way
        payload = block[6:] if as_usual else _data_of(block)
        if not payload:
            return
        if payload == b"[DONE]":
            self.done_ns = at_ns
            return
        if carries_content(payload):
            self._content(at_ns)
        self._kept_bytes += len(payload)
        if self._kept_bytes <= self._max_kept_bytes:
            self.kept.append(payload)
        else:
            self._keep_as_last(payload)

    def _content(self, at_ns: int) -> None:
        self.chunks += 1
        if self.last_content_ns is None:
            self.first_content_ns = at_ns
        else:
            gap_ns = at_ns - self.last_content_ns
            if self.gap_max_ns is None or gap_ns > self.gap_max_ns:
                self.gap_max_ns = gap_ns
            if len(self.gaps_ns) < self.MAX_GAPS:
                self.gaps_ns.append(gap_ns)
        self.last_content_ns = at_ns

    def _keep_as_last(self, payload: bytes) -> None:
        self._last.append(payload)  # the usage block and an error come last
        if len(self._last) > 2:
            del self._last[0]
            self.dropped += 1

    def _with_plain_line_ends(self, body: bytes) -> bytes:
        if self._trailing_cr:
            body = b"\r" + body
        self._trailing_cr = body.endswith(b"\r")
        if self._trailing_cr:
            body = body[:-1]
        return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _data_of(block: bytes) -> bytes:
    """Return the data lines of an event, joined as the standard says; comments and other fields are nothing."""
    lines = (line[5:] for line in block.split(b"\n") if line[:5] == b"data:")
    return b"\n".join(line.removeprefix(b" ") for line in lines)
