"""Where a request's time went: the parts, what they add up to, and what many of them have in common."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.explain import Explained, Where, spans_of
from harness.explain.sentences import sum_up
from harness.model.fault import FaultRecord
from harness.model.sample import Call

MS = 1_000_000


def call(received_ms: int, ended_ms: int | None, number: int = 1) -> Call:
    return Call(
        call_id=f"call-{number}", endpoint="primary", model="sim-large", streamed=False, request_id="r", tag=None, key_fingerprint=None,
        received_ns=received_ms * MS, first_content_ns=None, last_content_ns=None, ended_ns=None if ended_ms is None else ended_ms * MS,
        gap_p95_ns=None, gap_max_ns=None, chunks=0, status_code=200, prompt_tokens=1, completion_tokens=1, cost_usd=0.0,
        ended="completed", fault=None,
    )  # fmt: skip


@pytest.mark.parametrize(("calls", "parts", "where"), [
    ([call(20, 900)], (10, 10, 880, 0, 100), Where.PROVIDER),
    ([call(20, 220)], (10, 10, 200, 0, 780), Where.SERVICE),
    ([call(20, 120), call(520, 920, 2)], (10, 10, 500, 400, 80), Where.PROVIDER),
    ([call(20, 500), call(300, 700, 2)], (10, 10, 680, 0, 300), Where.PROVIDER),  # two at once count once
    ([call(20, None)], (10, 10, 980, 0, 0), Where.PROVIDER),
    ([call(20, 5000)], (10, 10, 980, 0, 0), Where.PROVIDER),  # the provider went on after the answer had ended
    ([call(2000, 3000)], (10, 990, 0, 0, 0), Where.NEVER_REACHED),  # came in after the end
    ([], (10, 990, 0, 0, 0), Where.NEVER_REACHED),
])  # fmt: skip
def test_the_time_of_a_request_is_split_by_the_calls_that_it_caused(
    calls: list[Call], parts: tuple[int, ...], where: Where
) -> None:
    spans = spans_of(0, 10 * MS, 1000 * MS, calls)
    assert spans is not None
    told = (spans.dispatch_ns, spans.before_ns, spans.upstream_ns, spans.between_ns, spans.after_ns)
    assert tuple(part // MS for part in told) == parts
    assert spans.where is where


def test_a_request_that_left_late_was_the_generators_doing_only_beyond_its_bound() -> None:
    late = spans_of(0, 800 * MS, 900 * MS, [call(810, 890)])
    a_little_late = spans_of(0, 6 * MS, 10 * MS, [])
    assert late is not None
    assert a_little_late is not None
    assert (late.where, a_little_late.where) == (Where.GENERATOR, Where.NEVER_REACHED)


def test_what_was_never_sent_or_never_ended_has_no_parts() -> None:
    assert spans_of(0, None, None, []) is None
    assert spans_of(0, 1, None, []) is None


_MOMENTS = st.integers(0, 10_000)


@given(_MOMENTS, _MOMENTS, _MOMENTS, st.lists(st.tuples(_MOMENTS, st.none() | _MOMENTS), max_size=6))
def test_the_parts_are_never_negative_and_add_up_to_the_whole(
    intended: int, lag: int, took: int, calls: list[tuple[int, int | None]]
) -> None:
    given_calls = [call(begin, None if length is None else begin + length, n) for n, (begin, length) in enumerate(calls)]
    spans = spans_of(intended * MS, (intended + lag) * MS, (intended + lag + took) * MS, given_calls)
    assert spans is not None
    parts = (spans.dispatch_ns, spans.before_ns, spans.upstream_ns, spans.between_ns, spans.after_ns)
    assert all(part >= 0 for part in parts)
    assert sum(parts) == (lag + took) * MS


def explained(seq: int, calls: list[Call], *, fault: FaultRecord | None = None, ended_ms: int | None = 5000) -> Explained:
    ended = None if ended_ms is None else ended_ms * MS
    return Explained(
        seq=seq, request_id=f"r-{seq}", user_class="faq", phase="outage", streamed=False, model=None, result="answered",
        source="primary", refusal=None, error_kind=None, status_code=200, intended_ns=0, started_ns=MS, first_content_ns=None,
        ended_ns=ended, spans=spans_of(0, MS, ended, calls), calls=tuple(calls), faults=() if fault is None else (fault,),
    )  # fmt: skip


def test_late_answers_are_summed_up_by_where_their_time_went() -> None:
    fault = FaultRecord(id="f", kind="timeout", at="provider.primary", phase="outage", requested_ns=0, confirmed_ns=0, cleared_ns=1,
                        proved_clear_ns=1, acted=None)  # fmt: skip
    waited = [explained(n, [call(10, 210)], fault=fault) for n in range(31)]
    provider = [explained(100 + n, [call(10, 4900)]) for n in range(6)]
    first, second = sum_up([*waited, *provider], "late answers")
    assert first.startswith(
        "31 of 37 late answers waited in your service (4.8 s, mostly after the last call) while the provider had answered in 200 ms"
    )
    assert "under timeout at provider.primary" in first
    assert second.startswith("6 of 37 late answers waited for the provider (4.9 s)")
    assert "under" not in second
