"""Requests understood, or refused with the error that OpenAI would send."""

import hashlib
import math
import random
from dataclasses import dataclass

import msgspec

from harness.model.simulated import SIMULATED_MODELS, SimulatedModel, count_tokens
from harness.provider.draft import Operation, Refusal
from harness.provider.openai import ChatRequest, EmbeddingsRequest

MAX_INPUTS = 2_048
MAX_MESSAGES = 10_000
DIMENSIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that was understood, whichever its kind. prompt: all its text, what makes two requests the same."""

    operation: Operation
    model: SimulatedModel
    prompt: bytes
    prompt_tokens: int
    streamed: bool = False
    include_usage: bool = False
    max_tokens: int | None = None
    inputs: tuple[str, ...] = ()


class _Named(msgspec.Struct, frozen=True):
    model: str = ""


def understand(operation: Operation, body: bytes) -> Ask | Refusal:
    """Return what the body asks for, or why it is refused (400, 404)."""
    try:
        if operation is Operation.CHAT:
            return _chat(msgspec.json.decode(body, type=ChatRequest))
        return _embeddings(msgspec.json.decode(body, type=EmbeddingsRequest))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _refused(f"the body does not fit: {error}")


def model_named(body: bytes) -> str:
    """Return the model that a refused request names, cut to 100 characters; empty where none can be read."""
    try:
        return msgspec.json.decode(body, type=_Named).model[:100]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def fingerprint_of(authorization: str) -> str | None:
    """Return the first 12 hex digits of the bearer key's sha256, or None where there is no key."""
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        return None
    return hashlib.sha256(key.encode("latin-1")).hexdigest()[:12]


def no_key() -> Refusal:
    """Return the refusal of a request without a bearer key."""
    message = "no API key; send `Authorization: Bearer KEY` (any key is taken)"
    return Refusal(fault=None, status_code=401, message=message, code="invalid_api_key")


def vector(seed: int, text: str) -> tuple[float, ...]:
    """Return a text's embedding: DIMENSIONS numbers of length 1, a function of seed and text."""
    draw = random.Random(f"{seed}\0{text}")
    values = [draw.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = math.hypot(*values)
    return tuple(value / length for value in values)


def _chat(request: ChatRequest) -> Ask | Refusal:
    if request.model not in SIMULATED_MODELS:
        return _unknown_model(request.model)
    if not 0 < len(request.messages) <= MAX_MESSAGES:
        return _refused(f"messages has {len(request.messages)} entries; allowed: 1 to {MAX_MESSAGES}", "messages")
    if request.n not in (None, 1):
        return _refused(f"n is {request.n}; a simulated model gives one choice", "n")
    # The newer name wins, as it does at OpenAI.
    name = "max_tokens" if request.max_completion_tokens is None else "max_completion_tokens"
    max_tokens = request.max_tokens if request.max_completion_tokens is None else request.max_completion_tokens
    if max_tokens is not None and max_tokens < 1:
        return _refused(f"{name} is {max_tokens}; allowed: 1 and above", name)
    texts = [message.text() for message in request.messages]
    return Ask(
        operation=Operation.CHAT,
        model=SIMULATED_MODELS[request.model],
        prompt="\0".join(texts).encode("utf-8", "surrogatepass"),
        prompt_tokens=sum(count_tokens(text) for text in texts),
        streamed=bool(request.stream),
        include_usage=request.stream_options is not None and request.stream_options.include_usage,
        max_tokens=max_tokens,
    )


def _embeddings(request: EmbeddingsRequest) -> Ask | Refusal:
    if request.model not in SIMULATED_MODELS:
        return _unknown_model(request.model)
    inputs = (request.input,) if isinstance(request.input, str) else tuple(request.input)
    if not 0 < len(inputs) <= MAX_INPUTS:
        return _refused(f"input has {len(inputs)} entries; allowed: 1 to {MAX_INPUTS}", "input")
    return Ask(
        operation=Operation.EMBEDDINGS,
        model=SIMULATED_MODELS[request.model],
        prompt="\0".join(inputs).encode("utf-8", "surrogatepass"),
        prompt_tokens=sum(count_tokens(text) for text in inputs),
        inputs=inputs,
    )


def _refused(message: str, param: str | None = None) -> Refusal:
    return Refusal(fault=None, status_code=400, message=message, param=param)


def _unknown_model(name: str) -> Refusal:
    allowed = ", ".join(SIMULATED_MODELS)
    message = f"The model `{name[:100]}` does not exist; this provider simulates {allowed}"
    return Refusal(fault=None, status_code=404, message=message, code="model_not_found", param="model")
