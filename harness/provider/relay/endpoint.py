"""An endpoint before a real provider, as the service sees it: whose calls it takes, and what it does not let through."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Mapping

from harness.model.figures import dollars
from harness.model.sample import Call
from harness.model.simulated import SimulatedModel, count_tokens
from harness.provider.asking import fingerprint_of
from harness.provider.draft import Draft, Operation, Refusal
from harness.provider.exchange import Caller, Exchange
from harness.provider.faults.base import ProviderFault
from harness.provider.faults.trigger import Asked
from harness.provider.framing import head
from harness.provider.openai import ChatRequest, error_body, render_refusal
from harness.provider.relay.asking import draft_of, prompt_of, understood, with_usage
from harness.provider.relay.exchange import Relayed
from harness.provider.relay.order import Upstream
from harness.provider.relay.purse import Purse
from harness.provider.relay.upstream import BrokenOffError, UnreachableError, UpstreamCall, passed_on
from harness.provider.state import State
from harness.provider.wire import Connection, Request

SPEND_CAP = "harness_spend_cap"
"""The code of the refusal of a call that could go beyond the cap."""
_TAG = re.compile(rb"\[hs:([^\]\s]{1,64})\]")
_OPERATIONS = {"/v1/chat/completions": Operation.CHAT, "/v1/embeddings": Operation.EMBEDDINGS}


class RelayEndpoint:
    """Passes on `POST /v1/chat/completions`, `POST /v1/embeddings` and `GET /v1/models` of whoever shows the token of this run.

    Nothing else goes through: what is not metered is not paid for.
    """

    def __init__(
        self, name: str, state: State, upstream: Upstream, *, token: str, models: Mapping[str, SimulatedModel], purse: Purse
    ) -> None:
        self.name = name
        self._state = state
        self._upstream = upstream
        self._token = token.encode()
        self._models = models
        self._purse = purse
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, connection: Connection, request: Request) -> None:
        """Answer one request."""
        operation = _OPERATIONS.get(request.path)
        if operation is not None and request.method == "POST":
            self._call(connection, request, operation)
        elif dark := next(iter(self._state.board.outages(self.name, self._asked(request, "", b""))), None):
            dark.acted += 1
            connection.close(abruptly=dark.text("how") == "rst")
        elif not self._is_ours(request):
            _reply(connection, request, 401, _no_token())
        elif request.path == "/v1/models" and request.method == "GET":
            self._keep(asyncio.create_task(self._list_models(connection, request)))
        else:
            what = f"{request.method} {request.path:.200} is not passed on to the real provider"
            _reply(connection, request, 404, Refusal(fault=None, status_code=404, message=what))

    def _call(self, connection: Connection, request: Request, operation: Operation) -> None:
        call_id = f"{self.name}-{next(self._state.numbers)}"
        ask = understood(operation, request.body) if self._is_ours(request) else _no_token()
        model = None if isinstance(ask, Refusal) else self._models.get(ask.model)
        if not isinstance(ask, Refusal) and model is None:
            known = ", ".join(self._models)
            what = f"nobody said what {ask.model!r:.100} costs, so it is not called; priced are {known}"
            ask = Refusal(fault=None, status_code=404, message=what, code="model_not_found", param="model")
        found = _TAG.search(request.body)
        caller = Caller(
            call_id=call_id,
            endpoint=self.name,
            model=model,
            model_named="" if isinstance(ask, Refusal) else ask.model,
            streamed=isinstance(ask, ChatRequest) and bool(ask.stream),
            request_id=request.headers.get("x-request-id"),
            tag=found[1].decode("utf-8", "replace") if found else None,
            key_fingerprint=fingerprint_of(request.headers.get("authorization", "")),
            received_ns=request.received_ns,
            prompt_tokens=0 if isinstance(ask, Refusal) else count_tokens(prompt_of(ask).decode("utf-8", "replace")),
            keep_alive=request.keep_alive,
        )
        active = self._state.active
        active[self.name] = active.get(self.name, 0) + 1
        if isinstance(ask, Refusal) or model is None:
            assert isinstance(ask, Refusal)
            self._refuse(connection, caller, ask, [])
            return
        faults = self._state.board.triggered(self.name, self._asked(request, model.name, prompt_of(ask)))
        draft = draft_of(ask, caller, model, chunked=request.chunked, active=active[self.name])
        for fault in faults:
            if draft.refusal is None:
                fault.edit_draft(draft)
        if draft.refusal is None and not self._purse.hold(call_id, model, caller.prompt_tokens, draft.max_tokens):
            what = (
                f"this call could cost more than is left of the {dollars(self._purse.cap_usd)} of this run (`limits.spend_usd`)"
            )
            draft.refusal = Refusal(fault=None, status_code=402, message=what, error_type="insufficient_quota", code=SPEND_CAP)
        if draft.refusal is not None:
            self._refuse(connection, caller, draft.refusal, faults)
            return
        self._pass_on(connection, request, caller, model, draft, faults)

    def _pass_on(
        self,
        connection: Connection,
        request: Request,
        caller: Caller,
        model: SimulatedModel,
        draft: Draft,
        faults: list[ProviderFault],
    ) -> None:
        meter = self._state.meter  # a call belongs to the books that it began in

        def on_end(call: Call, bill: tuple[int, int] | None) -> None:
            if bill is not None:
                tally = meter.tally(model=model, key_fingerprint=caller.key_fingerprint or "", endpoint=self.name)
                tally.open(bill[0])
                tally.generated(bill[1])
            self._purse.settle(call.call_id, call.cost_usd)
            self._ended(call, faults)

        body = request.body
        if draft.streamed and not draft.include_usage:
            body = with_usage(body)
        relayed = Relayed(
            caller=caller,
            draft=draft,
            faults=faults,
            upstream=self._upstream,
            path=request.path.removeprefix("/v1"),
            body=body,
            connection=connection,
            on_end=on_end,
        )
        self._keep(relayed.start())

    def _refuse(self, connection: Connection, caller: Caller, refusal: Refusal, faults: list[ProviderFault]) -> None:
        script = render_refusal(refusal, caller.call_id)
        if refusal.code == SPEND_CAP:
            script.ended = "capped"
        Exchange(
            caller=caller,
            script=script,
            billed_completion_tokens=None,
            tally=None,
            connection=connection,
            pacer=self._state.pacer,
            on_end=lambda _, call: self._ended(call, faults),
        ).start()

    def _ended(self, call: Call, faults: list[ProviderFault]) -> None:
        self._state.active[self.name] -= 1
        self._state.log.append(call)
        for fault in faults:
            fault.ended(call.call_id)

    async def _list_models(self, connection: Connection, request: Request) -> None:
        try:
            call = await UpstreamCall.open(self._upstream, "GET", "/models", [], b"")
            try:
                body = await call.rest()
            finally:
                call.close()
            connection.send(head(call.status_code, passed_on(call.headers), len(body)) + body)
            connection.done(keep_alive=request.keep_alive)
        except (UnreachableError, BrokenOffError) as error:
            _reply(
                connection, request, 502, Refusal(fault=None, status_code=502, message=str(error), code="upstream_unreachable")
            )

    def _is_ours(self, request: Request) -> bool:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.strip().encode("latin-1"), self._token)

    def _asked(self, request: Request, model: str, prompt: bytes) -> Asked:
        return Asked(
            model=model,
            key_fingerprint=fingerprint_of(request.headers.get("authorization", "")) or "",
            headers=request.headers,
            prompt=prompt or request.path.encode("latin-1"),
            received_ns=request.received_ns,
        )

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _no_token() -> Refusal:
    message = "this is a relay of a test run: show its own key (`${provider.key}` in the target's description)"
    return Refusal(fault=None, status_code=401, message=message, code="invalid_api_key")


def _reply(connection: Connection, request: Request, status_code: int, refusal: Refusal) -> None:
    body = error_body(refusal.message, refusal.error_type, refusal.code, refusal.param)
    connection.send(head(status_code, [("content-type", "application/json")], len(body)) + body)
    connection.done(keep_alive=request.keep_alive)
