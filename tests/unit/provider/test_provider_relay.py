"""What a relay is told, what it makes of a real provider's events, and how it holds money together."""

import asyncio
import json

import pytest

from harness.errors import ConfigurationError
from harness.model.fault_kinds.provider import RELAYED
from harness.model.simulated import SimulatedModel
from harness.provider.faults import KINDS
from harness.provider.faults.board import Board
from harness.provider.faults.checking import RejectedError
from harness.provider.relay import Purse, RelayOrder
from harness.provider.relay.events import Event, Events, What, understood

UPSTREAM = {"url": "https://models.test/v1", "key": "sk-real-and-secret", "address": "127.0.0.1"}
ORDER = {
    "token": "t",
    "spend_cap_usd": 1.0,
    "upstreams": {"primary": UPSTREAM},
    "prices": {"gpt": {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 10.0}},
}
DEAR = SimulatedModel(name="gpt", input_usd_per_mtok=0.0, output_usd_per_mtok=1000.0)  # a token is a tenth of a cent


def _chunk(*, usage: object = None, **choice: object) -> bytes:
    return b"data: " + json.dumps({"choices": [choice] if choice else [], "usage": usage}).encode() + b"\n\n"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (_chunk(delta={"role": "assistant", "content": ""}), What.OTHER),
        (_chunk(delta={"content": "Hi"}, finish_reason=None), What.CONTENT),
        (_chunk(delta={"content": "Hi"}, finish_reason="stop"), What.CONTENT),
        (_chunk(delta={"tool_calls": [{"index": 0}]}), What.CONTENT),
        (_chunk(delta={}, finish_reason="stop"), What.FINISH),
        (_chunk(usage={"prompt_tokens": 3, "completion_tokens": 4}), What.USAGE),
        (b"data: [DONE]\n\n", What.DONE),
        (b": keep-alive\n\n", What.OTHER),
        (b"data: {broken\n\n", What.OTHER),
    ],
)
def test_an_event_is_told_by_what_it_carries(data: bytes, what: What) -> None:
    assert understood(data).what is what


def test_usage_is_read_wherever_a_provider_puts_it() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    assert understood(_chunk(usage=usage)).usage == (3, 4)
    assert understood(_chunk(usage=usage, delta={}, finish_reason="stop")).usage == (3, 4)
    assert understood(_chunk(delta={"content": "x"})).usage is None


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("between", [b"\n\n", b"\r\n\r\n"])
def test_events_are_the_same_however_their_bytes_come(size: int, between: bytes) -> None:
    said = [b'data: {"choices":[{"delta":{"content":"a"}}]}', b": x", b"data: [DONE]"]
    raw = between.join([*said, b""])
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]

    async def piece() -> bytes:
        return pieces.pop(0) if pieces else b""

    async def all_of_them() -> list[Event]:
        events, found = Events(piece), []
        while (event := await events.ahead()).what is not What.END:
            events.take()
            found.append(event)
        return found

    found = asyncio.run(all_of_them())
    assert [event.what for event in found] == [What.CONTENT, What.OTHER, What.DONE]
    assert b"".join(event.data for event in found) == raw


def test_a_purse_holds_the_worst_case_of_what_is_under_way_and_books_what_it_came_to() -> None:
    purse = Purse(0.25)
    assert purse.hold("a", DEAR, 0, 100)
    assert purse.hold("b", DEAR, 0, 100)
    assert not purse.hold("c", DEAR, 0, 100)
    purse.settle("a", 0.01)
    assert purse.hold("c", DEAR, 0, 100)
    purse.settle("b", 0.1)
    purse.settle("c", 0.1)
    assert purse.spent_usd == pytest.approx(0.21)
    assert not purse.hold("d", DEAR, 0, None)  # without a bound it could say anything


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        json.dumps({**ORDER, "more": 1}).encode(),
        json.dumps({**ORDER, "upstreams": {"primary": {**UPSTREAM, "address": "models.test"}}}).encode(),
        json.dumps({**ORDER, "upstreams": {"primary": {**UPSTREAM, "url": "ftp://models.test"}}}).encode(),
    ],
)
def test_an_order_that_does_not_fit_is_refused_without_being_repeated(line: bytes) -> None:
    with pytest.raises(ConfigurationError) as caught:
        RelayOrder.parse(line)
    assert "standard input holds no line of JSON like" in str(caught.value)
    assert "sk-real" not in str(caught.value)


def test_an_order_knows_where_to_connect_and_what_a_call_costs() -> None:
    order = RelayOrder.parse(json.dumps(ORDER).encode())
    upstream = order.upstreams["primary"]
    assert (upstream.tls, upstream.host, upstream.port, upstream.base_path) == (True, "models.test", 443, "/v1")
    assert order.models()["gpt"].cost_usd(1_000_000, 100_000) == pytest.approx(2.0)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fault_in_what_a_model_says_is_not_taken_before_a_real_one(kind: str) -> None:
    board = Board(("primary", "secondary"), seed=1, relayed={"primary"})
    board.set({"id": "simulated", "endpoint": "secondary", "kind": kind}, 0)
    if kind in RELAYED:
        assert board.set({"id": "real", "endpoint": "primary", "kind": kind}, 0).kind == kind
        return
    with pytest.raises(RejectedError, match="allowed: cut, error_event, malformed_json"):
        board.set({"id": "real", "endpoint": "primary", "kind": kind}, 0)
