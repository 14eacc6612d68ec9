"""One request and its answer, sans-IO: bytes and times in, an outcome out."""

from harness.exchange.completion import answer_text
from harness.exchange.exchange import MAX_BODY_BYTES, End, Exchange, never_answered
from harness.exchange.outcome import Outcome
from harness.exchange.reading import Reading
from harness.exchange.request import Destination, chat_body, chat_request, filler, finish_request, plain_body, request_head

__all__ = [
    "MAX_BODY_BYTES",
    "Destination",
    "End",
    "Exchange",
    "Outcome",
    "Reading",
    "answer_text",
    "chat_body",
    "chat_request",
    "filler",
    "finish_request",
    "never_answered",
    "plain_body",
    "request_head",
]
