"""From an answer's bytes to its outcome, by the signals of the target.

In this order: what cut the exchange short, the status with the target's refusals, the content type, the content.
JSON is decoded once, here.
"""

import msgspec

from harness.exchange.completion import NOTHING, Completion, answer_text, read_body, read_events, text_of_events
from harness.exchange.events import EventStream
from harness.exchange.outcome import Outcome
from harness.exchange.predicates import Evidence, compares, number_of, walk
from harness.exchange.response import Response
from harness.model.error_kind import RESULT_OF_KIND, ErrorKind
from harness.model.outcome import Refusal, Result, Source
from harness.model.plan import Protocol
from harness.model.signals import Comparison, Predicate, Signals, Where
from harness.model.text_digest import text_digest


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What arrived: the head and body of one answer and when. events: None where the body was not read as events."""

    response: Response
    events: EventStream | None
    streamed: bool
    protocol: Protocol
    body: bytes
    body_bytes: int
    first_byte_ns: int | None
    ended_ns: int


class _Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an answer turned out to be, before the target's signals have said where it came from."""

    result: Result
    error_kind: ErrorKind | None = None
    refusal: Refusal | None = None
    completion: Completion | None = None


# A member asked of its enum costs a call each time, and these are asked for with every answer.
_ANSWERED, _PRIMARY, _CHAT = Result.ANSWERED, Source.PRIMARY, Protocol.OPENAI_CHAT


class Reading:
    """How one target's answers are read. Made once, used for every answer; holds nothing of any of them.

    digests: tell with each good chat answer the digest of what it said.
    """

    def __init__(self, signals: Signals, *, digests: bool = False) -> None:
        self._signals = signals
        self._digests = digests
        named = [predicate for _, predicate in signals.sources]
        named += [p for p in (signals.fallback, signals.degraded, signals.cache, signals.cost) if p is not None]
        self._wants_documents = any(predicate.where in (Where.JSON, Where.CHUNK) for predicate in named)
        self._has_signals = bool(named)

    def read(self, seen: Seen, broken: ErrorKind | None) -> Outcome:
        """Return the outcome of an answer. broken: what ended it before its own end."""
        answer = self._judge(seen, broken)
        response, events = seen.response, seen.events
        completion = answer.completion or NOTHING
        source = _PRIMARY if answer.result is _ANSWERED else None
        if events is None and not self._has_signals and not self._digests:  # what did not happen need not be said
            return Outcome(
                result=answer.result,
                error_kind=answer.error_kind,
                source=source,
                refusal=answer.refusal,
                status_code=response.status_code,
                first_byte_ns=seen.first_byte_ns,
                ended_ns=seen.ended_ns,
                prompt_tokens=completion.prompt_tokens,
                completion_tokens=completion.completion_tokens,
                body_bytes=seen.body_bytes,
                body=seen.body,
                reusable=response.keep_alive,
            )
        cost = fallback = cache = None
        if self._has_signals:
            evidence = Evidence(status_code=response.status_code or 0, headers=response.headers, documents=completion.documents)
            source = source and self._source(evidence)
            cost = self._number(evidence, self._signals.cost)
            fallback = self._claim(evidence, self._signals.fallback)
            cache = self._text(evidence, self._signals.cache)
        return Outcome(
            result=answer.result,
            error_kind=answer.error_kind,
            source=source,
            refusal=answer.refusal,
            status_code=response.status_code,
            first_byte_ns=seen.first_byte_ns,
            first_content_ns=None if events is None else events.first_content_ns,
            last_content_ns=None if events is None else events.last_content_ns,
            ended_ns=seen.ended_ns if events is None else _ended_ns(seen, answer.result),
            gap_p95_ns=None if events is None else events.gap_p95_ns(),
            gap_max_ns=None if events is None else events.gap_max_ns,
            chunks=None if events is None else events.chunks,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            claimed_cost_usd=cost,
            claimed_fallback=fallback,
            cache=cache,
            text_digest=_digest_of(seen) if self._digests and answer.result is _ANSWERED else None,
            body_bytes=seen.body_bytes,
            body=seen.body,
            reusable=response.keep_alive,
        )

    def _judge(self, seen: Seen, broken: ErrorKind | None) -> _Answer:
        status_code = seen.response.status_code
        if status_code is not None and 200 <= status_code < 300:
            return self._ok(seen, broken)
        if broken in (ErrorKind.TRUNCATED, ErrorKind.RESET) and status_code is not None and status_code >= 300:
            return self._not_ok(seen, status_code)  # an error status says more than its broken body
        if broken is not None or status_code is None:
            return _bad(broken or ErrorKind.BAD_HTTP)
        return self._not_ok(seen, status_code)

    def _not_ok(self, seen: Seen, status_code: int) -> _Answer:
        evidence = Evidence(status_code=status_code, headers=seen.response.headers, documents=_documents(seen.body))
        for refusal, rule in self._signals.refusals:
            if evidence.refused_by(rule):
                return _Answer(result=Result.REFUSED, refusal=refusal)
        if any(evidence.refused_by(rule) for rule in self._signals.shed):
            return _Answer(result=Result.SHED)
        if 300 <= status_code < 400:
            return _bad(ErrorKind.REDIRECT)
        if 400 <= status_code < 600:
            return _bad(ErrorKind.STATUS_4XX if status_code < 500 else ErrorKind.STATUS_5XX)
        return _bad(ErrorKind.STATUS_OTHER)

    def _ok(self, seen: Seen, broken: ErrorKind | None) -> _Answer:
        headers = seen.response.headers
        encoding = headers.get(b"content-encoding")
        if encoding is not None and encoding.strip().lower() not in (b"identity", b""):
            return _bad(broken or ErrorKind.CONTENT_ENCODING)
        if seen.protocol is not _CHAT:
            return self._plain(seen, broken)
        if seen.events is not None:
            completion = read_events(seen.events, wants_documents=self._wants_documents)
            whole = broken is None or seen.events.done_ns is not None
            if completion.problem is not ErrorKind.ERROR_EVENT and not whole:
                return _bad(broken, completion)
            return _answered_or_bad(completion)
        problem = broken or self._unreadable(seen, headers.get(b"content-type", b""))
        return _bad(problem) if problem else _answered_or_bad(read_body(seen.body, wants_documents=self._wants_documents))

    def _plain(self, seen: Seen, broken: ErrorKind | None) -> _Answer:
        """Read an answer that is no chat: one JSON object for `message`, anything whole for plain HTTP."""
        documents: tuple[object, ...] = ()
        if broken is None and (seen.protocol is Protocol.MESSAGE or self._wants_documents):
            documents = _documents(seen.body)
        if broken is None and seen.protocol is Protocol.MESSAGE:
            broken = self._no_answer(next(iter(documents), None))
        if broken is not None:
            return _bad(broken)
        completion = Completion(
            documents=documents,
            prompt_tokens=_count_at(documents, self._signals.prompt_tokens),
            completion_tokens=_count_at(documents, self._signals.completion_tokens),
        )
        return _Answer(result=Result.ANSWERED, completion=completion)

    def _no_answer(self, document: object) -> ErrorKind | None:
        """Return why a message's answer is none: no JSON object, or no text where the target's answers have theirs."""
        if not isinstance(document, dict):
            return ErrorKind.BAD_JSON
        if self._signals.answer is None:
            return None
        text = walk(document, self._signals.answer)
        if text is None:
            return ErrorKind.BAD_SHAPE
        return None if str(text).strip() else ErrorKind.NO_CONTENT

    @staticmethod
    def _unreadable(seen: Seen, content_type: bytes) -> ErrorKind | None:
        """Return why a whole body is not worth decoding; None where it is."""
        if not seen.body:
            return ErrorKind.EMPTY_BODY
        if seen.streamed or not _is_json(content_type):
            return ErrorKind.WRONG_CONTENT_TYPE
        return ErrorKind.TOO_LARGE if seen.body_bytes > len(seen.body) else None

    def _source(self, evidence: Evidence) -> Source:
        """Return where an answer came from: the target's own list, then what its claims imply, else the primary."""
        signals = self._signals
        for source, predicate in signals.sources:
            if evidence.holds(predicate):
                return source
        if signals.degraded is not None and evidence.holds(signals.degraded):
            return Source.CANNED
        if signals.cache is not None and signals.cache.comparison is not Comparison.PRESENT and evidence.holds(signals.cache):
            return Source.CACHE
        if signals.fallback is not None and evidence.holds(signals.fallback):
            return Source.SECONDARY
        return Source.PRIMARY

    @staticmethod
    def _claim(evidence: Evidence, predicate: Predicate | None) -> bool | None:
        """Return what the target claims; None where it says nothing either way."""
        found = None if predicate is None else evidence.find(predicate)
        if predicate is None or found is None:
            return None
        return compares(found, predicate.comparison, predicate.value)

    @staticmethod
    def _number(evidence: Evidence, predicate: Predicate | None) -> float | None:
        return None if predicate is None else number_of(evidence.find(predicate))

    @staticmethod
    def _text(evidence: Evidence, predicate: Predicate | None) -> str | None:
        found = None if predicate is None else evidence.find(predicate)
        return None if found is None else str(found)[:64]


def _digest_of(seen: Seen) -> int | None:
    """Return the digest of what a good answer said; None where its text is not there whole, or is no chat's."""
    if seen.protocol is not Protocol.OPENAI_CHAT or (seen.events is not None and seen.events.dropped):
        return None
    return text_digest(answer_text(seen.body) if seen.events is None else text_of_events(seen.events.payloads))


def _count_at(documents: tuple[object, ...], path: str | None) -> int | None:
    """Return a count of tokens at a JSON path; None where none stands there that could be one."""
    number = number_of(walk(documents[0], path)) if path is not None and documents else None
    return int(number) if number is not None and 0 <= number < 2**31 else None


def _answered_or_bad(completion: Completion) -> _Answer:
    if completion.problem is not None:
        return _bad(completion.problem, completion)
    return _Answer(result=_ANSWERED, completion=completion)


def _bad(kind: ErrorKind | None, completion: Completion | None = None) -> _Answer:
    assert kind is not None
    return _Answer(result=RESULT_OF_KIND[kind], error_kind=kind, completion=completion)


def _ended_ns(seen: Seen, result: Result) -> int:
    """Return the end of an answer: a good stream ends with its `[DONE]`, anything else with the conversation."""
    if result is _ANSWERED and seen.events is not None and seen.events.done_ns is not None:
        return seen.events.done_ns
    return seen.ended_ns


def _is_json(content_type: bytes) -> bool:
    if content_type == b"application/json":
        return True
    media = content_type.split(b";", 1)[0].strip().lower()
    return media == b"application/json" or (media.startswith(b"application/") and media.endswith(b"+json"))


def _documents(body: bytes) -> tuple[object, ...]:
    try:
        return (msgspec.json.decode(body),)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
