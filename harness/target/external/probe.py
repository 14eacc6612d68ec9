"""One request to the target as the load will send it, and what became of it: for `try` and before every run."""

import json
import secrets
import select
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import ConfigurationError, HarnessError, StackError
from harness.exchange import (
    Destination,
    End,
    Exchange,
    Outcome,
    Reading,
    chat_request,
    finish_request,
    never_answered,
    plain_body,
    request_head,
)
from harness.exchange.response import Response
from harness.model.error_kind import ErrorKind
from harness.model.outcome import Refusal, Result
from harness.model.plan import Protocol
from harness.model.signals import Signals
from harness.model.target import Approach
from harness.target.external.caller import Caller

WITHIN_S = 20.0
_CHUNK_BYTES = 65_536
_HEAD_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What was sent and what came back. request, raw: bytes of the wire; request holds the key."""

    request: bytes
    raw: bytes
    outcome: Outcome
    status: int | None
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    took_s: float


def probe(
    caller: Caller, approach: Approach, signals: Signals, *, key: str, model: str, tag: str, streamed: bool = False
) -> Probe:
    """Send one chat request whose prompt is new and carries a tag; never raises for what the target does."""
    request_id = f"probe-{secrets.token_hex(6)}"
    destination = Destination(
        host=caller.host_header,
        path=approach.chat_path,
        auth_header=approach.auth_header,
        auth_value=approach.auth_value.replace("${key}", key),
    )
    prompt = f"[hs:{tag}] Explain step by step how the warranty for device {secrets.token_hex(4)} works."
    protocol = Protocol.OPENAI_CHAT
    if approach.message is None:
        request = chat_request(destination, request_id=request_id, prompt=prompt, streamed=streamed, model=model, max_tokens=40)
    else:
        protocol, streamed = Protocol.MESSAGE, False
        body = plain_body(approach.message, prompt, model=model, max_tokens=40).replace(b"{n}", b"0")
        request = finish_request(request_head(destination, streamed=False), request_id, body)
    began = time.monotonic()
    raw, outcome = _exchange(caller, request, Exchange(Reading(signals), streamed=streamed, protocol=protocol))
    response = Response()
    body = response.feed(raw) if raw else b""
    response.closed()
    return Probe(
        request=request,
        raw=raw,
        outcome=outcome,
        status=response.status_code,
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.items()},
        body=body,
        request_id=request_id,
        took_s=time.monotonic() - began,
    )


def _exchange(caller: Caller, request: bytes, exchange: Exchange) -> tuple[bytes, Outcome]:
    deadline = time.monotonic() + WITHIN_S
    try:
        connection = socket.create_connection(caller.address, timeout=WITHIN_S)
    except ConnectionRefusedError:
        return b"", never_answered(ErrorKind.CONNECT_REFUSED, time.monotonic_ns())
    except TimeoutError:
        return b"", never_answered(ErrorKind.CONNECT_TIMEOUT, time.monotonic_ns())
    except OSError:
        return b"", never_answered(ErrorKind.CONNECT_FAILED, time.monotonic_ns())
    received = bytearray()
    with connection:
        end = End.TIMEOUT
        try:
            connection.sendall(request)
            while (left_s := deadline - time.monotonic()) > 0 and select.select([connection], [], [], left_s)[0]:
                data = connection.recv(_CHUNK_BYTES)
                received += data
                if not data:
                    end = End.CLOSED
                    break
                if exchange.feed(data, time.monotonic_ns()):
                    end = End.COMPLETE
                    break
        except OSError:
            end = End.RESET
        return bytes(received), exchange.outcome(end, time.monotonic_ns())


def objection(found: Probe, caller: Caller, approach: Approach) -> HarnessError | None:
    """Return why no load should be sent after this answer, in words that say what to change; None where it is good."""
    outcome = found.outcome
    where = f"POST {caller.origin}{approach.chat_path}"
    if outcome.result is Result.ANSWERED:
        return None
    if not found.raw:
        advice = "is it up, and is this its address?"
        return StackError(f"{where} was not answered: {_said(outcome)}", advice=advice)
    if found.status is None:
        advice = "does it want TLS? the harness speaks http: put a proxy on loopback that ends TLS before it"
        return ConfigurationError(f"{where}: what came back is no HTTP answer ({found.raw[:40]!r})", advice=advice)
    if 300 <= found.status < 400:
        location = found.headers.get("location", "nowhere")
        advice = "nothing was sent there; if that is the service, make it the `base_url`"
        return ConfigurationError(f"{where} redirects to {location}", advice=advice)
    if outcome.refusal is Refusal.AUTH or found.status in (401, 403):
        advice = "check `principals`, `auth` and the variables that they name"
        return ConfigurationError(f"{where} refuses our key with {found.status}: {_head(found)}", advice=advice)
    if found.status == 429:
        advice = "its limit would refuse the load and nothing would be learned: raise it for this run, or wait"
        return StackError(f"{where} limits the harness itself: 429 to the very first request: {_head(found)}", advice=advice)
    if "html" in found.headers.get("content-type", "") or found.body.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        advice = "is this a web page, or the API? see `base_url` and `chat_path`"
        return ConfigurationError(f"{where} answers with HTML (status {found.status})", advice=advice)
    if found.status == 400 and b"https" in found.body.lower():
        advice = "put a proxy on loopback that ends TLS before it"
        return ConfigurationError(f"{where} wants TLS: {_head(found)}", advice=advice)
    if found.status in (404, 405):
        advice = "see `base_url` and `chat_path` (or `message.url`), and whether it knows the model in `models.normal`"
        return ConfigurationError(f"{where} was answered with {found.status}: {_head(found)}", advice=advice)
    advice = "it is not healthy before anything was done to it: mend that first; harness try shows the whole exchange"
    return StackError(f"{where} gave no good answer (status {found.status}, {_said(outcome)}): {_head(found)}", advice=advice)


def _said(outcome: Outcome) -> str:
    return str(outcome.error_kind or outcome.refusal or outcome.result).replace("_", " ")


def _head(found: Probe) -> str:
    text = found.body[: 4 * _HEAD_SHOWN].decode("utf-8", "replace")
    try:
        text = json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        text = " ".join(text.split())
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown[:_HEAD_SHOWN] or "no body"
