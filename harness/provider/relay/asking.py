"""Requests to a real provider, read as far as faults and the meter mind; the rest goes through as it is."""

import time

import msgspec

from harness.model.simulated import SimulatedModel
from harness.provider.draft import Draft, Operation, Refusal
from harness.provider.exchange import Caller
from harness.provider.openai import ChatRequest, EmbeddingsRequest


def understood(operation: Operation, body: bytes) -> ChatRequest | EmbeddingsRequest | Refusal:
    """Return what a body asks for, as far as the meter minds, or why it is refused."""
    try:
        if operation is Operation.CHAT:
            return msgspec.json.decode(body, type=ChatRequest)
        return msgspec.json.decode(body, type=EmbeddingsRequest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Refusal(fault=None, status_code=400, message=f"the body does not fit: {error}")


def prompt_of(ask: ChatRequest | EmbeddingsRequest) -> bytes:
    """Return all text of a request."""
    if isinstance(ask, ChatRequest):
        texts = [message.text() for message in ask.messages]
    else:
        texts = [ask.input] if isinstance(ask.input, str) else list(ask.input)
    return "\0".join(texts).encode("utf-8", "surrogatepass")


def draft_of(
    ask: ChatRequest | EmbeddingsRequest,
    caller: Caller,
    model: SimulatedModel,
    *,
    chunked: bool,
    active: int,
) -> Draft:
    """Return what faults may edit before anybody is asked: nothing of what will be said, which is not known yet."""
    chat = isinstance(ask, ChatRequest)
    options = ask.stream_options if isinstance(ask, ChatRequest) else None
    bound = None
    if isinstance(ask, ChatRequest):
        bound = ask.max_tokens if ask.max_completion_tokens is None else ask.max_completion_tokens
    return Draft(
        call_id=caller.call_id,
        operation=Operation.CHAT if chat else Operation.EMBEDDINGS,
        model=model,
        streamed=isinstance(ask, ChatRequest) and bool(ask.stream),
        chunked=chunked,
        include_usage=options is not None and options.include_usage,
        max_tokens=bound if chat else 0,
        active=active,
        prompt_tokens=caller.prompt_tokens,
        words=(),
        finish_reason="stop",
        first_wait_ns=0,
        gap_ns=0,
        created_s=int(time.time()),
    )


def with_usage(body: bytes) -> bytes:
    """Return the request of a stream with its usage asked for: it is what the call is billed by."""
    document = msgspec.json.decode(body, type=dict[str, object])
    options = document.get("stream_options")
    document["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    return msgspec.json.encode(document)
