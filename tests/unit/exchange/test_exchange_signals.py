import pytest
from exchange_answers import DONE, LAST, STREAM_HEAD, answer, body, chunk, chunked, read

from harness.exchange.predicates import compares
from harness.model.outcome import Refusal, Result, Source
from harness.model.signals import Comparison, Predicate, RefusalRule, Signals, Where


def header(name: str, comparison: Comparison = Comparison.PRESENT, value: str | float | bool | None = None) -> Predicate:
    return Predicate(where=Where.HEADER, key=name, comparison=comparison, value=value)


def json(path: str, comparison: Comparison = Comparison.PRESENT, value: str | float | bool | None = None) -> Predicate:
    return Predicate(where=Where.JSON, key=path, comparison=comparison, value=value)


GATEWAY = Signals(
    sources=(
        (Source.STALE_CACHE, header("x-gateway-degraded", Comparison.EQUALS, "stale")),
        (Source.CACHE, header("X-Gateway-Cache", Comparison.MATCHES, "^hit")),
        (Source.SECONDARY, header("x-gateway-provider", Comparison.EQUALS, "secondary")),
    ),
    refusals=(
        (Refusal.BUDGET, RefusalRule(status=(402,))),
        (Refusal.BUDGET, RefusalRule(status=(400, 429), predicate=json("$.error.type", Comparison.EQUALS, "budget_exceeded"))),
        (Refusal.RATE, RefusalRule(status=(429,))),
        (Refusal.UNAVAILABLE, RefusalRule(status=(503,), predicate=json("$.error.code", Comparison.EQUALS, "guard_unavailable"))),
    ),
    shed=(RefusalRule(status=(503,), predicate=header("retry-after")),),
    fallback=header("x-gateway-fallback", Comparison.ABOVE, 0),
    cache=header("x-gateway-cache"),
    cost=header("x-gateway-cost-usd"),
)


@pytest.mark.parametrize(
    ("headers", "source"),
    [
        ([], Source.PRIMARY),
        (["x-gateway-provider: primary"], Source.PRIMARY),
        (["x-gateway-provider: secondary"], Source.SECONDARY),
        (["X-GATEWAY-CACHE: hit-shared", "x-gateway-provider: secondary"], Source.CACHE),
        (["x-gateway-cache: miss"], Source.PRIMARY),
        (["x-gateway-degraded: stale", "x-gateway-cache: hit-memory"], Source.STALE_CACHE),
        (["x-gateway-fallback: 1"], Source.SECONDARY),
        (["x-gateway-fallback: 0"], Source.PRIMARY),
    ],
)
def test_the_first_source_that_matches_wins_and_a_claimed_fallback_is_not_the_primary(headers: list[str], source: Source) -> None:
    assert read([answer(body(), headers=headers)], signals=GATEWAY).source is source


def test_what_the_target_claims_is_kept_and_silence_is_no_claim() -> None:
    told = ["x-gateway-fallback: 0", "x-gateway-cost-usd: 0.00125", "x-gateway-cache: miss"]
    outcome = read([answer(body(), headers=told)], signals=GATEWAY)
    assert (outcome.claimed_fallback, outcome.claimed_cost_usd, outcome.cache) == (False, 0.00125, "miss")
    silent = read([answer(body())], signals=GATEWAY)
    assert (silent.claimed_fallback, silent.claimed_cost_usd, silent.cache) == (None, None, None)
    assert read([answer(body(), headers=["x-gateway-fallback: 1"])], signals=GATEWAY).claimed_fallback is True


@pytest.mark.parametrize("cost", ["", "free", "nan", "inf"])
def test_a_cost_that_is_no_number_is_none(cost: str) -> None:
    assert read([answer(body(), headers=[f"x-gateway-cost-usd: {cost}"])], signals=GATEWAY).claimed_cost_usd is None


@pytest.mark.parametrize(
    ("status", "headers", "payload", "result", "refusal"),
    [
        ("402 Payment Required", [], b"{}", Result.REFUSED, Refusal.BUDGET),
        ("429 Too Many", [], b'{"error":{"type":"budget_exceeded"}}', Result.REFUSED, Refusal.BUDGET),
        ("429 Too Many", [], b"not json", Result.REFUSED, Refusal.RATE),
        ("503 No", ["Retry-After: 1"], b'{"error":{"code":"guard_unavailable"}}', Result.REFUSED, Refusal.UNAVAILABLE),
        ("503 No", ["Retry-After: 1"], b'{"error":{"code":"busy"}}', Result.SHED, None),
        ("503 No", [], b"{}", Result.ERROR, None),
        ("401 No", [], b"{}", Result.ERROR, None),
        ("502 Bad", ["Retry-After: 1"], b"{}", Result.ERROR, None),
    ],
)
@pytest.mark.parametrize("streamed", [True, False])
def test_a_refusal_is_known_by_the_first_rule_that_matches(
    status: str, headers: list[str], payload: bytes, result: Result, refusal: Refusal | None, streamed: bool
) -> None:
    outcome = read([answer(payload, status=status, headers=headers)], signals=GATEWAY, streamed=streamed)
    assert (outcome.result, outcome.refusal) == (result, refusal)
    assert (outcome.error_kind is None) == (result is not Result.ERROR)


def test_an_external_target_may_have_claims_only() -> None:
    signals = Signals(
        fallback=header("x-fallback", Comparison.ABOVE, 0),
        degraded=json("$.degraded", Comparison.EQUALS, True),
        cache=header("x-cache", Comparison.EQUALS, "HIT"),
    )
    assert read([answer(body(degraded=True))], signals=signals).source is Source.CANNED
    assert read([answer(body(degraded=False))], signals=signals).source is Source.PRIMARY
    assert read([answer(body(), headers=["x-cache: HIT"])], signals=signals).source is Source.CACHE
    assert read([answer(body(), headers=["x-cache: MISS"])], signals=signals).source is Source.PRIMARY


def test_a_signal_in_a_stream_is_found_in_any_of_its_chunks() -> None:
    signals = Signals(sources=((Source.CANNED, json("$.x_degraded", Comparison.EQUALS, True)),), cost=json("$.usage.cost"))
    last = b'data: {"choices":[],"x_degraded":true,"usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.5}}\n\n'
    outcome = read([STREAM_HEAD, chunked(chunk("a")), chunked(last), chunked(DONE), LAST], streamed=True, signals=signals)
    assert (outcome.source, outcome.claimed_cost_usd) == (Source.CANNED, 0.5)


@pytest.mark.parametrize(
    ("found", "comparison", "value", "holds"),
    [
        ("1", Comparison.EQUALS, 1, True),
        ("1.0", Comparison.EQUALS, 1, True),
        ("x", Comparison.EQUALS, 1, False),
        (1, Comparison.EQUALS, "1", True),
        ("True", Comparison.EQUALS, True, True),
        (False, Comparison.EQUALS, False, True),
        (True, Comparison.EQUALS, 1, False),
        ("HIT", Comparison.EQUALS, "hit", False),
        ("x", Comparison.EQUALS, None, False),
        ("pre-hit", Comparison.MATCHES, "hit$", True),
        ("2", Comparison.ABOVE, 1, True),
        ("1", Comparison.ABOVE, 1, False),
        ("0", Comparison.BELOW, 1, True),
        ("x", Comparison.ABOVE, 1, False),
        (True, Comparison.ABOVE, 0, False),
        ("", Comparison.PRESENT, None, True),
    ],
)
def test_values_compare_by_meaning(
    found: str | float | bool, comparison: Comparison, value: str | float | bool | None, holds: bool
) -> None:
    assert compares(found, comparison, value) is holds


def test_a_path_walks_objects_and_lists_and_never_breaks() -> None:
    deep = body(a=[{"b": "x"}, 5])
    for path, source in [
        ("$.a[0].b", Source.RULE),
        ("$.a[1]", Source.RULE),
        ("$.a[2]", Source.PRIMARY),
        ("$.a.b", Source.PRIMARY),
    ]:
        assert read([answer(deep)], signals=Signals(sources=((Source.RULE, json(path)),))).source is source
