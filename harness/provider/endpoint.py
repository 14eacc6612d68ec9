"""One endpoint, as the service sees it: routes, keys, requests to scripts."""

import re
import time

from harness.model.sample import Call
from harness.provider.asking import Ask, fingerprint_of, model_named, no_key, understand, vector
from harness.provider.draft import Draft, Operation, Refusal
from harness.provider.exchange import Caller, Exchange
from harness.provider.faults.base import ProviderFault
from harness.provider.faults.outage import Outage
from harness.provider.faults.trigger import Asked
from harness.provider.framing import head
from harness.provider.generation import generate
from harness.provider.openai import error_body, models_body, render, render_refusal
from harness.provider.script import Script
from harness.provider.state import State
from harness.provider.wire import Connection, Request

_TAG = re.compile(rb"\[hs:([^\]\s]{1,64})\]")
_OPERATIONS = {"/v1/chat/completions": Operation.CHAT, "/v1/embeddings": Operation.EMBEDDINGS}


class Endpoint:
    """Answers `POST /v1/chat/completions`, `POST /v1/embeddings` and `GET /v1/models`."""

    def __init__(self, name: str, state: State) -> None:
        self.name = name
        self._state = state
        self._models = models_body()

    def serve(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        operation = _OPERATIONS.get(request.path)
        fingerprint = fingerprint_of(request.headers.get("authorization", ""))
        if operation is not None and request.method == "POST":
            self._call(connection, request, operation, fingerprint)
        elif dark := self._dark(request, fingerprint):
            dark.acted += 1
            connection.close(abruptly=dark.text("how") == "rst")
        elif request.path == "/v1/models" and fingerprint is None:
            _reply(connection, request, 401, _error(no_key()))
        elif request.path == "/v1/models" and request.method == "GET":
            _reply(connection, request, 200, self._models)
        elif operation is not None or request.path == "/v1/models":
            _reply(connection, request, 405, error_body(f"{request.method} is not allowed here", "invalid_request_error"))
        else:
            _reply(connection, request, 404, error_body(f"there is nothing at {request.path:.200}", "invalid_request_error"))

    def _dark(self, request: Request, fingerprint: str | None) -> Outage | None:
        """Return the outage that this request, which is no call, runs into."""
        asked = Asked(
            model="",
            key_fingerprint=fingerprint or "",
            headers=request.headers,
            prompt=request.path.encode("latin-1"),
            received_ns=request.received_ns,
        )
        return next(iter(self._state.board.outages(self.name, asked)), None)

    def _call(self, connection: Connection, request: Request, operation: Operation, fingerprint: str | None) -> None:
        call_id = f"{self.name}-{next(self._state.numbers)}"
        ask = understand(operation, request.body) if fingerprint is not None else no_key()
        found = _TAG.search(request.body)
        caller = Caller(
            call_id=call_id,
            endpoint=self.name,
            model=None if isinstance(ask, Refusal) else ask.model,
            model_named=model_named(request.body) if isinstance(ask, Refusal) else ask.model.name,
            streamed=not isinstance(ask, Refusal) and ask.streamed,
            request_id=request.headers.get("x-request-id"),
            tag=found[1].decode("utf-8", "replace") if found else None,
            key_fingerprint=fingerprint,
            received_ns=request.received_ns,
            prompt_tokens=0 if isinstance(ask, Refusal) else ask.prompt_tokens,
            keep_alive=request.keep_alive,
        )
        active = self._state.active
        active[self.name] = active.get(self.name, 0) + 1
        if isinstance(ask, Refusal) or fingerprint is None:
            refusal = ask if isinstance(ask, Refusal) else no_key()
            self._start(connection, caller, render_refusal(refusal, call_id), None, [])
            return
        asked = Asked(
            model=ask.model.name,
            key_fingerprint=fingerprint,
            headers=request.headers,
            prompt=ask.prompt,
            received_ns=request.received_ns,
        )
        faults = self._state.board.triggered(self.name, asked)
        draft = self._draft(ask, request, call_id)
        for fault in faults:
            if draft.refusal is None:
                fault.edit_draft(draft)
        script = render(draft)
        for fault in faults:
            fault.edit_script(script)
        self._start(connection, caller, script, draft, faults)

    def _draft(self, ask: Ask, request: Request, call_id: str) -> Draft:
        seed, model = self._state.seed, ask.model
        generation = generate(seed=seed, model=model.name, prompt=ask.prompt, max_tokens=ask.max_tokens)
        chat = ask.operation is Operation.CHAT
        return Draft(
            call_id=call_id,
            operation=ask.operation,
            model=model,
            streamed=ask.streamed,
            chunked=request.chunked,
            include_usage=ask.include_usage or not ask.streamed,
            max_tokens=ask.max_tokens,
            active=self._state.active[self.name],
            prompt_tokens=ask.prompt_tokens,
            words=generation.words if chat else (),
            finish_reason="length" if generation.cut else "stop",
            first_wait_ns=self._state.first_tokens.wait_ns(endpoint=self.name, model=model, prompt=ask.prompt),
            gap_ns=round(model.token_ms * 1e6),
            created_s=int(time.time()),
            vectors=tuple(vector(seed, text) for text in ask.inputs),
            shown_model=model.name,
        )

    def _start(
        self, connection: Connection, caller: Caller, script: Script, draft: Draft | None, faults: list[ProviderFault]
    ) -> None:
        state = self._state
        log, active = state.log, state.active
        tally = None
        if draft is not None and draft.refusal is None:
            fingerprint = caller.key_fingerprint or ""
            tally = state.meter.tally(model=draft.model, key_fingerprint=fingerprint, endpoint=self.name)

        def on_end(_: Exchange, call: Call) -> None:
            active[self.name] -= 1
            log.append(call)
            for fault in faults:
                fault.ended(call.call_id)

        Exchange(
            caller=caller,
            script=script,
            billed_completion_tokens=None if draft is None else draft.billed_completion_tokens,
            text=None if draft is None else draft.text(),
            tally=tally,
            connection=connection,
            pacer=state.pacer,
            on_end=on_end,
        ).start()


def _error(refusal: Refusal) -> bytes:
    return error_body(refusal.message, refusal.error_type, refusal.code, refusal.param)


def _reply(connection: Connection, request: Request, status_code: int, body: bytes) -> None:
    connection.send(head(status_code, [("content-type", "application/json")], len(body)) + body)
    connection.done(keep_alive=request.keep_alive)
