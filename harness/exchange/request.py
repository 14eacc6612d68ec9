"""The bytes of a request, written once and whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from harness.errors import ConfigurationError
from harness.model.plan import PlainRequest

_FILLER = (
    "river stone paper light window garden copper letter bridge market autumn singer button forest number winter silver "
    "travel pocket record simple figure corner summer candle method castle reason yellow planet danger ticket mirror "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a chat request goes and who asks. host: the `Host` header; auth_value is a secret."""

    host: str
    path: str = "/v1/chat/completions"
    auth_header: str = "Authorization"
    auth_value: str | None = None

    def __repr__(self) -> str:
        return f"Destination(host={self.host!r}, path={self.path!r})"


def chat_body(
    *,
    prompt: str,
    streamed: bool,
    model: str | None = None,
    max_tokens: int | None = None,
    before: Sequence[Mapping[str, str]] = (),
) -> bytes:
    """Return an OpenAI chat request as JSON; a stream asks for its usage block. Lone surrogates stay escaped.

    before: the turns of the conversation so far.
    """
    body: dict[str, object] = {} if model is None else {"model": model}
    body["messages"] = [*before, {"role": "user", "content": prompt}]
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    body["stream"] = streamed
    if streamed:
        body["stream_options"] = {"include_usage": True}
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def plain_body(plain: PlainRequest, prompt: str, *, model: str | None = None, max_tokens: int | None = None) -> bytes:
    """Return the body of a request that is no chat: its template, texts escaped to stand inside JSON quotes.

    The prompt goes in last: what a user says is never taken for a part of the template.
    """
    body = (plain.body or "").replace("{model}", json.dumps(model or "")[1:-1])
    body = body.replace("{max_tokens}", "null" if max_tokens is None else str(max_tokens))
    return body.replace("{prompt}", json.dumps(prompt)[1:-1]).encode("utf-8", "surrogatepass")


def filler(seed: int, length: int) -> str:
    """Return `length` characters of plain words, others for each seed: no cache of a prefix sees the same text twice."""
    if length <= 0:
        return ""
    text = f"{seed:x} " + _FILLER[seed * 7919 % len(_FILLER) :] + _FILLER
    return (text * (length // len(text) + 1))[:length]


def request_head(
    destination: Destination, *, streamed: bool, method: str = "POST", further: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """Return the head of a request up to the request id: what is the same for every request of one principal.

    further: headers beside the ordinary ones. Raises ConfigurationError on a header that would break out of its line.
    """
    lines = [
        f"{method} {destination.path} HTTP/1.1",
        f"host: {destination.host}",
        "content-type: application/json",
        f"accept: {'text/event-stream' if streamed else 'application/json'}",
        f"accept-encoding: {'identity' if streamed else 'gzip, identity'}",
        "user-agent: llm-harness",
    ]
    if destination.auth_value is not None:
        lines.append(f"{destination.auth_header}: {destination.auth_value}")
    lines += [f"{name}: {value}" for name, value in further.items()]
    for line in lines:
        if any(character in line for character in "\r\n\0"):
            name = line.split(":", 1)[0].split("\r", 1)[0].split("\n", 1)[0]
            raise ConfigurationError(f"the request header {name!r} holds a line break; take it out of the key or the address")
    try:
        return "\r\n".join(lines).encode("latin-1") + b"\r\n"
    except UnicodeEncodeError as error:
        raise ConfigurationError("a request header holds a character that HTTP cannot carry; check the key") from error


def finish_request(head: bytes, request_id: str, body: bytes) -> bytes:
    """Return a whole request: a head of `request_head`, its id and its body."""
    return b"%bx-request-id: %b\r\ncontent-length: %d\r\n\r\n%b" % (head, request_id.encode("ascii"), len(body), body)


def chat_request(
    destination: Destination,
    *,
    request_id: str,
    prompt: str,
    streamed: bool,
    model: str | None = None,
    max_tokens: int | None = None,
) -> bytes:
    """Return one OpenAI chat request. Raises ConfigurationError on a header that HTTP cannot carry."""
    body = chat_body(prompt=prompt, streamed=streamed, model=model, max_tokens=max_tokens)
    return finish_request(request_head(destination, streamed=streamed), request_id, body)
