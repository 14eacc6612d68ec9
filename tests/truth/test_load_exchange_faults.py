"""The provider breaks its answers on purpose; the exchange must call each break by its name."""

import math
import time
from collections.abc import Iterator

import pytest
from provider_under_test import Provider, running_provider

from harness.exchange import Destination, Outcome, Reading, chat_request
from harness.exchange.blocking import ask
from harness.model.signals import Signals

MS = 1_000_000


@pytest.fixture(scope="module")
def process() -> Iterator[Provider]:
    with running_provider("--endpoint", "primary=127.0.0.1:0", "--control", "127.0.0.1:0", "--seed", "1") as provider:
        yield provider


@pytest.fixture
def provider(process: Provider) -> Provider:
    process.ask_control("POST", "/reset")
    return process


def probe(provider: Provider, *, streamed: bool, timeout_s: float = 5) -> Outcome:
    host, _, port = provider.endpoints["primary"].rpartition(":")
    request = chat_request(
        Destination(host=provider.endpoints["primary"], auth_value="Bearer k"),
        request_id="probe",
        prompt="hello",
        streamed=streamed,
        model="sim-small",
        max_tokens=8,
    )
    return ask((host, int(port)), request, reading=Reading(Signals()), streamed=streamed, timeout_ns=math.ceil(timeout_s * 1e9))


@pytest.mark.parametrize("streamed", [True, False])
def test_a_good_answer_is_answered(provider: Provider, streamed: bool) -> None:
    outcome = probe(provider, streamed=streamed)
    assert (outcome.result, outcome.error_kind, outcome.completion_tokens) == ("answered", None, 8)
    assert outcome.chunks == (8 if streamed else None)


@pytest.mark.parametrize(
    ("kind", "parameters", "streamed", "result", "error_kinds"),
    [
        ("status", {"code": 500}, True, "error", {"status_5xx"}),
        ("status", {"code": 429}, False, "error", {"status_4xx"}),
        ("error_event", {}, True, "malformed", {"error_event"}),
        ("missing_done", {}, True, "malformed", {"no_done", "truncated"}),
        ("malformed_json", {}, True, "malformed", {"bad_json"}),
        ("malformed_json", {}, False, "malformed", {"bad_json"}),
        ("empty_choices", {}, True, "malformed", {"no_content"}),
        ("empty_choices", {}, False, "malformed", {"bad_shape"}),
        ("wrong_content_type", {}, True, "malformed", {"wrong_content_type"}),
        ("wrong_content_type", {}, False, "malformed", {"wrong_content_type"}),
        ("missing_usage", {}, True, "answered", {None}),
        ("cut", {"how": "clean"}, True, "malformed", {"truncated"}),
        ("cut", {"how": "half_chunk"}, True, "malformed", {"truncated"}),
        ("cut", {"how": "rst"}, True, "error", {"reset"}),
        ("cut", {}, False, "malformed", {"truncated"}),
        ("outage", {"how": "rst"}, True, "error", {"reset"}),
        ("outage", {"how": "clean"}, False, "error", {"eof_before_headers"}),
        *(
            ("refuse_content", {"how": how}, s, "answered", {None})
            for how in ("text", "refusal_field", "content_filter")
            for s in (True, False)
        ),
    ],
)
def test_a_broken_answer_has_its_kind(
    provider: Provider, kind: str, parameters: dict[str, object], streamed: bool, result: str, error_kinds: set[str | None]
) -> None:
    provider.set_fault(kind, parameters)
    outcome = probe(provider, streamed=streamed)
    assert provider.acted(kind) == 1
    assert outcome.result == result
    assert outcome.error_kind in error_kinds


def test_a_missing_usage_block_leaves_the_tokens_open_and_the_chunks_counted(provider: Provider) -> None:
    provider.set_fault("missing_usage")
    outcome = probe(provider, streamed=True)
    assert (outcome.prompt_tokens, outcome.completion_tokens, outcome.chunks) == (None, None, 8)


def test_an_outage_ends_at_the_deadline_of_the_probe(provider: Provider) -> None:
    provider.set_fault("stall")
    before = time.monotonic()
    outcome = probe(provider, streamed=True, timeout_s=1.5)
    assert (outcome.result, outcome.error_kind) == ("timeout", "body_timeout")
    assert 1.4 < time.monotonic() - before < 2.5
