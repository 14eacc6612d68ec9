"""What a chat completion holds that an outcome needs, from a body or from the events of a stream."""

from collections.abc import Sequence

import msgspec

from harness.exchange.events import EventStream
from harness.model.error_kind import ErrorKind


class Completion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was read. problem: why it is no good answer. documents: the JSON, kept only where a signal looks at it."""

    problem: ErrorKind | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    documents: tuple[object, ...] = ()


NOTHING = Completion()
_NULL = msgspec.Raw(b"null")


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Message(msgspec.Struct, gc=False):
    content: msgspec.Raw = _NULL
    tool_calls: msgspec.Raw = _NULL
    refusal: msgspec.Raw = _NULL


class _Choice(msgspec.Struct, gc=False):
    message: _Message | None = None
    finish_reason: str | None = None


class _Chat(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: msgspec.Raw = _NULL

    def is_error(self) -> bool:
        return bytes(self.error) != b"null"


_DECODER = msgspec.json.Decoder(_Chat)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NO_COMPLETION = (msgspec.ValidationError, *_UNREADABLE)
_NO_TEXT_BUT_AN_ANSWER = (b'"tool_calls":', b'"refusal":"', b'"content_filter"')
_EMPTY = (b"null", b'""', b"[]")
_INT32_MAX = 2**31 - 1


def read_body(body: bytes, *, wants_documents: bool) -> Completion:
    """Read an answer that came in one piece."""
    documents = _documents([body]) if wants_documents else ()
    try:
        chat = _DECODER.decode(body)
    except _NO_COMPLETION:
        return Completion(problem=_why_unreadable(body), documents=documents)
    problem: ErrorKind | None = None
    if chat.error is not _NULL and chat.is_error():
        problem = ErrorKind.ERROR_EVENT
    elif not chat.choices or (message := chat.choices[0].message) is None:
        problem = ErrorKind.BAD_SHAPE
    elif bytes(message.content) in _EMPTY and not _says_something(message, chat.choices[0].finish_reason):
        problem = ErrorKind.NO_CONTENT
    return _completion(problem, chat.usage, documents)


def answer_text(body: bytes) -> str:
    """Return what an answer says, from its body or its events as an outcome keeps them; empty where it says nothing."""
    if not body.startswith(b"data: "):
        return _text_of(body, "message")
    return text_of_events([event.removeprefix(b"data: ") for event in body.split(b"\n\n") if event])


def text_of_events(payloads: Sequence[bytes]) -> str:
    """Return what the events of a stream say, one after the other; one that says nothing, or cannot be read, adds nothing."""
    return "".join(_text_of(payload, "delta") for payload in payloads)


def _text_of(document: bytes, part: str) -> str:
    try:
        said = msgspec.json.decode(document)["choices"][0][part]["content"]
    except (*_UNREADABLE, msgspec.ValidationError, LookupError, TypeError):
        return ""
    return said if isinstance(said, str) else ""


def _says_something(message: _Message, finish_reason: str | None) -> bool:
    """Return True for a tool call or the model's own refusal instead of text: the answer of a model, whatever it says."""
    if finish_reason == "content_filter":
        return True
    return bytes(message.tool_calls) not in _EMPTY or bytes(message.refusal) not in _EMPTY


def read_events(events: EventStream, *, wants_documents: bool) -> Completion:
    """Read the events of a stream, as far as they were kept; the last usage block counts."""
    payloads = events.payloads
    problem: ErrorKind | None = None
    try:
        chats: list[_Chat] = _DECODER.decode_lines(b"\n".join(payloads))
    except _NO_COMPLETION:
        chats = []
    if len(chats) != len(payloads):  # one bad event must not hide an error event, or the usage block, beside it
        chats, problem = _one_by_one(payloads)
    usage = next((chat.usage for chat in reversed(chats) if chat.usage is not None), None)
    documents = _documents(payloads) if wants_documents else ()
    return _completion(_problem(events, chats, problem), usage, documents)


def _problem(events: EventStream, chats: list[_Chat], unreadable: ErrorKind | None) -> ErrorKind | None:
    if any(chat.error is not _NULL and chat.is_error() for chat in chats):
        return ErrorKind.ERROR_EVENT
    if events.overlong:
        return ErrorKind.TOO_LARGE
    if unreadable is not None:
        return unreadable
    if events.done_ns is None:
        return ErrorKind.NO_DONE
    if events.chunks == 0 and not any(sign in payload for payload in events.payloads for sign in _NO_TEXT_BUT_AN_ANSWER):
        return ErrorKind.NO_CONTENT
    return None


def _one_by_one(payloads: list[bytes]) -> tuple[list[_Chat], ErrorKind | None]:
    chats: list[_Chat] = []
    problem: ErrorKind | None = None
    for payload in payloads:
        try:
            chats.append(_DECODER.decode(payload))
        except _NO_COMPLETION:
            problem = problem or _why_unreadable(payload)
    return chats, problem


def _why_unreadable(document: bytes) -> ErrorKind:
    """Return whether a document that is no completion is at least JSON: the typed decoder stops at the first surprise."""
    try:
        msgspec.json.decode(document)
    except _UNREADABLE:
        return ErrorKind.BAD_JSON
    return ErrorKind.BAD_SHAPE


def _documents(payloads: list[bytes]) -> tuple[object, ...]:
    documents = []
    for payload in payloads:
        try:
            documents.append(msgspec.json.decode(payload))
        except _UNREADABLE:
            continue
    return tuple(documents)


def _completion(problem: ErrorKind | None, usage: _Usage | None, documents: tuple[object, ...]) -> Completion:
    if usage is None:
        return Completion(problem=problem, documents=documents) if problem or documents else NOTHING
    return Completion(
        problem=problem,
        prompt_tokens=_count(usage.prompt_tokens),
        completion_tokens=_count(usage.completion_tokens),
        documents=documents,
    )


def _count(tokens: int | None) -> int | None:
    """Return a token count that a sample can hold; nonsense is no count."""
    return tokens if tokens is not None and 0 <= tokens <= _INT32_MAX else None
