"""What a target says of itself (metrics, logs, claims), and who is held: each objective healthy, broken and without data."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from run_builder import JUDGED, RunBuilder, S, failed, healthy_samples

from harness.judge import judge
from harness.model.judgement import Judgement, Status
from harness.model.objective import Kind, Objective, Quantity
from harness.model.outcome import Result, Source
from harness.model.probe import Credential, Probe, ProbeRecord
from harness.model.sample import Sample

numbers = itertools.count()
Rows = list[Sample]


def objective(quantity: Quantity, kind: Kind, op: str = "<=", limit: float = 0.0, **more: object) -> Objective:
    plain = Objective(id="o", kind=kind, quantity=quantity, op=op, limit=limit, written="o", during=("steady",))
    return replace(plain, **more)  # type: ignore[arg-type]


def judged(path: Path, asked: Objective, rows: Rows, files: Mapping[str, str] | None = None, **more: object) -> Judgement:
    builder = RunBuilder(objectives=(asked,), samples=rows, files=files or {}, **more)  # type: ignore[arg-type]
    return next(row for row in judge(builder.build(path / f"run{next(numbers)}")).results if row.id == "o")


# -- claims -----------------------------------------------------------------------------------------------------------------


def claiming(cost_usd: float | None, fallback: bool | None, every: int = 1) -> Rows:
    return [
        replace(r, claimed_cost_usd=cost_usd, claimed_fallback=fallback) if r.seq % every == 0 else r for r in healthy_samples()
    ]


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (claiming(0.001, fallback=False), Status.PASS),
        (claiming(0.0005, fallback=False, every=2), Status.FAIL),  # half of what the provider billed
        (claiming(0.002, fallback=False, every=2), Status.FAIL),  # twice of it, for one call of the primary
        (claiming(0.001, fallback=True, every=2), Status.FAIL),  # the primary's answer, called a fallback
        ([replace(r, source=Source.CACHE) for r in healthy_samples()], Status.PASS),
        (claiming(None, fallback=None), Status.INCONCLUSIVE),
    ],
)
def test_claims_are_held_against_the_providers_records(tmp_path: Path, rows: Rows, status: Status) -> None:
    asked = objective(Quantity.FALSE_CLAIMS, Kind.RATIO, limit=0.05)
    assert judged(tmp_path, asked, rows).status is status


def test_a_reservation_kept_for_an_attempt_that_nobody_saw_is_no_false_claim(tmp_path: Path) -> None:
    rows = [replace(r, claimed_cost_usd=0.003) if r.source is Source.SECONDARY else r for r in healthy_samples()]
    asked = objective(Quantity.FALSE_CLAIMS, Kind.RATIO, limit=0.05, during=("outage",))
    assert judged(tmp_path, asked, rows).status is Status.PASS


# -- joined and logged --------------------------------------------------------------------------------------------------------


def test_answers_are_joined_with_calls_by_their_id(tmp_path: Path) -> None:
    asked = objective(Quantity.JOINED_SHARE, Kind.RATIO, ">=", 0.95)
    rows = healthy_samples()
    assert judged(tmp_path, asked, rows).status is Status.PASS
    strangers = [replace(call, request_id=f"own-{call.call_id}") for call in RunBuilder(samples=rows)._usual_calls()]
    assert judged(tmp_path, asked, rows, calls=strangers).status is Status.FAIL
    assert judged(tmp_path, asked, [replace(r, source=Source.RULE) for r in rows]).status is Status.INCONCLUSIVE


def test_a_request_that_was_answered_whole_twice_is_paid_twice(tmp_path: Path) -> None:
    asked = objective(Quantity.PAID_TWICE, Kind.RATIO, limit=0.05, during=("steady",))
    rows = healthy_samples()
    calls = [*RunBuilder(samples=rows)._usual_calls()]
    assert judged(tmp_path, asked, rows, calls=calls).status is Status.PASS
    again = [replace(call, call_id=f"{call.call_id}-again") for call in calls]
    twice = judged(tmp_path, asked, rows, calls=calls + again)
    assert twice.status is Status.FAIL
    assert "answered whole more than once" in twice.reason
    # A call that broke off, or was refused, is tried again: that is what retries are for.
    broken = [replace(call, ended=("cut", "refused", "client_gone")[n % 3]) for n, call in enumerate(again)]
    assert judged(tmp_path, asked, rows, calls=calls + broken).status is Status.PASS
    assert judged(
        tmp_path, asked, [replace(r, source=Source.RULE, request_id=f"none-{r.seq}") for r in rows], calls=calls
    ).status is (Status.INCONCLUSIVE)


def log_of(rows: Rows, *, every: int = 1, key: str = "request_id") -> dict[str, str]:
    lines = [json.dumps({"event": "request", key: r.request_id}) for r in rows if r.seq % every == 0]
    return {"logs/service-a.log": "\n".join(lines)}


def test_every_request_stands_in_the_log_under_its_id(tmp_path: Path) -> None:
    asked = objective(Quantity.LOGGED_SHARE, Kind.RATIO, ">=", 0.95)
    rows = healthy_samples()
    assert judged(tmp_path, asked, rows, log_of(rows)).status is Status.PASS
    assert judged(tmp_path, asked, rows, log_of(rows, every=2)).status is Status.FAIL
    assert judged(tmp_path, asked, rows, log_of(rows, key="trace")).status is Status.INCONCLUSIVE  # a log without any id
    assert judged(tmp_path, asked, rows).status is Status.INCONCLUSIVE


# -- silent breakage and the longest wait -------------------------------------------------------------------------------------


def stopped(rows: Rows, kind: str) -> Rows:
    halves = [replace(failed(r, Result.MALFORMED, error_kind=kind), first_content_ns=r.first_content_ns) for r in rows]
    return [half if r.seq % 2 else r for r, half in zip(rows, halves, strict=True)]


def test_a_stream_that_just_stops_is_worse_than_one_that_says_why(tmp_path: Path) -> None:
    asked = objective(Quantity.SILENT_BREAKAGE, Kind.RATIO, limit=0.05)
    assert judged(tmp_path, asked, stopped(healthy_samples(), "error_event")).status is Status.PASS
    assert judged(tmp_path, asked, stopped(healthy_samples(), "no_done")).status is Status.FAIL
    plain = [replace(r, streamed=False) for r in healthy_samples()]
    assert judged(tmp_path, asked, plain).status is Status.INCONCLUSIVE


def test_one_request_that_is_held_fails_the_longest_wait_however_many_are_not(tmp_path: Path) -> None:
    asked = objective(Quantity.LONGEST_WAIT, Kind.DURATION, limit=6.0 * S, during=JUDGED)
    rows = healthy_samples()
    assert judged(tmp_path, asked, rows).status is Status.PASS
    held = [replace(failed(r, Result.TIMEOUT), ended_ns=r.intended_ns + 8 * S) if r.seq == 100 else r for r in rows]
    broken = judged(tmp_path, asked, held)
    assert broken.status is Status.FAIL
    assert broken.evidence[0].ref == "100"
    never = [replace(r, ended_ns=None) if r.seq == 100 else r for r in rows]
    assert judged(tmp_path, asked, never).status is Status.FAIL
    nobody = [replace(r, result=Result.CANCELLED) for r in rows]
    assert judged(tmp_path, asked, nobody).status is Status.INCONCLUSIVE


# -- server metrics -----------------------------------------------------------------------------------------------------------


def scraped(*texts: str | None, instances: tuple[str, ...] = ("a",)) -> dict[str, str]:
    lines = [
        json.dumps({"at_ns": at * S, "instance": name, "text": text or "", "problem": None if text else "refused"})
        for at, text in enumerate(texts)
        for name in instances
    ]
    return {"metrics/scrapes.jsonl": "\n".join(lines) + "\n"}


def metric(expression: str) -> Objective:
    return objective(Quantity.SERVER_METRIC, Kind.BUDGET, during=(), expression=expression)


COUNTS = 'increase(http_total{code="200"}) = answers within 2%'


@pytest.mark.parametrize(
    ("expression", "texts", "status"),
    [
        (COUNTS, ('http_total{code="200"} 7', 'http_total{code="200"} 647'), Status.PASS),
        (COUNTS, ('http_total{code="200"} 7', 'http_total{code="200"} 327'), Status.FAIL),
        (COUNTS, ("# nothing yet", 'http_total{code="200"} 640'), Status.PASS),  # began at nought
        (
            COUNTS,
            ('http_total{code="200"} 7', 'http_total{code="200"} 607', 'http_total{code="200"} 40'),
            Status.PASS,
        ),  # restarted
        (COUNTS, ('http_total{code="500"} 7', 'http_total{code="500"} 8'), Status.FAIL),
        (COUNTS, ("other_total 7", "other_total 8"), Status.INCONCLUSIVE),  # an unmatched selector
        (COUNTS, (None, None), Status.INCONCLUSIVE),
        ("increase(s_sum) / increase(s_count) < 5", ("s_sum 0\ns_count 0", "s_sum 900\ns_count 640"), Status.PASS),
        ("increase(s_sum) / increase(s_count) < 5", ("s_sum 0\ns_count 0", "s_sum 900000\ns_count 640"), Status.FAIL),
        ("increase(s_sum) / increase(s_count) < 5", ("s_sum 0\ns_count 0", "s_sum 0\ns_count 0"), Status.INCONCLUSIVE),
        ('count(b{le=~"5|10"}) >= 2', ('b{le="5"} 1\nb{le="10"} 1',), Status.PASS),
        ('count(b{le=~"5|10"}) >= 2', ('b{le="5.5"} 1\nb{le="10"} 1',), Status.FAIL),
        ("max(pool) <= 20", ("pool 19", "pool 21", "pool 3"), Status.FAIL),
        ("max(pool) <= 20", ("pool 19", "pool NaN", "pool 3"), Status.PASS),
        (
            'increase(errors{code!="200"}) = refusals within 5%',
            ('errors{code="500"} 3', 'errors{code="500"} 3'),
            Status.INCONCLUSIVE,
        ),
    ],
)
def test_a_servers_figures_are_compared_with_what_was_counted_outside_of_it(
    tmp_path: Path, expression: str, texts: tuple[str | None, ...], status: Status
) -> None:
    assert judged(tmp_path, metric(expression), healthy_samples(), scraped(*texts)).status is status


def test_counters_of_all_instances_are_summed_and_no_scrape_is_no_pass(tmp_path: Path) -> None:
    files = scraped('http_total{code="200"} 0', 'http_total{code="200"} 320', instances=("a", "b"))
    assert judged(tmp_path, metric(COUNTS), healthy_samples(), files).status is Status.PASS
    assert judged(tmp_path, metric(COUNTS), healthy_samples()).status is Status.INCONCLUSIVE


def test_what_checks_asked_is_counted_beside_the_load_where_it_went_to_the_chat(tmp_path: Path) -> None:
    files = scraped('http_total{code="401"} 0', 'http_total{code="401"} 3')
    builder = RunBuilder(
        objectives=(metric('increase(http_total{code="401"}) = refusals within 5%'),), samples=healthy_samples(), files=files
    )
    run = builder.build(tmp_path / "run")
    probes = [Probe(check_id="c", name="no-key", at_ns=S), Probe(check_id="c", name="health", at_ns=S, path="/ready")]
    run.write_plan(replace(run.read_plan(), probes=tuple(probes)))
    for number in range(5):
        name, credential = ("no-key" if number < 3 else "health"), Credential.NONE
        told = ProbeRecord(
            check_id="c", name=name, number=number, instance=None, principal=None, credential=credential, method="POST", path="/",
            at_ns=S, started_ns=S, ended_ns=S + 1, status_code=401, result="refused", refusal="auth",
        )  # fmt: skip
        run.append_probe(told)
    run.write_manifest()
    row = next(row for row in judge(run).results if row.id == "o")
    assert (row.status, row.test and row.test.limit) == (Status.PASS, 3.0), row.reason


# -- rules over texts -----------------------------------------------------------------------------------------------------------


def rule(quantity: Quantity, *sources: str) -> Objective:
    return objective(quantity, Kind.INVARIANT, during=(), expression=r"canary@|sk-[0-9a-f]{8}", sources=sources)


def test_one_line_of_a_log_breaks_a_rule_and_its_text_is_not_told(tmp_path: Path) -> None:
    asked, rows = rule(Quantity.LOG_RULE, "service-*"), healthy_samples()
    assert judged(tmp_path, asked, rows, {"logs/service-a.log": "all is well\n"}).status is Status.PASS
    leak = judged(tmp_path, asked, rows, {"logs/service-a.log": "fine\nmail to canary@example.org\n"})
    assert leak.status is Status.FAIL
    assert leak.evidence[0].ref == "service-a.log:2"
    assert "example.org" not in leak.reason
    assert judged(tmp_path, asked, rows, {"logs/postgres.log": "canary@example.org\n"}).status is Status.INCONCLUSIVE
    invalid = judged(tmp_path, asked, rows, {"logs/service-a.log": "canary@example.org"}, manifest=False)
    assert invalid.status is Status.FAIL


def test_what_must_be_written_once_passes_where_a_line_says_it_and_fails_where_none_does(tmp_path: Path) -> None:
    asked = objective(Quantity.LOG_RULE, Kind.CHECK, ">=", 1.0, during=(), expression="budget_alert", sources=("service-*",))
    rows = healthy_samples()
    assert judged(tmp_path, asked, rows, {"logs/service-b.log": "fine\nbudget_alert critical\n"}).status is Status.PASS
    mute = judged(tmp_path, asked, rows, {"logs/service-b.log": "fine\n", "logs/worker.log": "budget_alert\n"})
    assert (mute.status, "and one must" in mute.reason) == (Status.FAIL, True)
    assert judged(tmp_path, asked, rows, {"logs/worker.log": "budget_alert\n"}).status is Status.INCONCLUSIVE
    invalid = judged(tmp_path, asked, rows, {"logs/service-b.log": "fine\n"}, manifest=False)
    assert invalid.status is Status.INVALID


def test_one_answer_that_was_kept_breaks_a_rule(tmp_path: Path) -> None:
    asked, rows = rule(Quantity.ANSWER_RULE), healthy_samples()
    place = "exchanges/worker-000.jsonl"
    kept = [{"seq": 5, "response": "hello"}, {"seq": 6, "response": "the key is sk-0123456789"}]
    assert judged(tmp_path, asked, rows, {place: json.dumps(kept[0])}).status is Status.PASS
    leak = judged(tmp_path, asked, rows, {place: "\n".join(map(json.dumps, kept))})
    assert (leak.status, leak.evidence[0].ref) == (Status.FAIL, "6")
    assert judged(tmp_path, asked, rows, {place: '{"seq": 5, "resp'}).status is Status.INCONCLUSIVE
