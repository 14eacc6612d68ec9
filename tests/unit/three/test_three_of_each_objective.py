"""Every objective's judge is seen to pass, to fail, and to know nothing: a quantity without its three runs fails here."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import test_extensions_judged as extensions
import test_judge_objectives as objectives
import test_judge_order as orders
import test_judge_words as words
from asking import Three, ask, lacking
from run_builder import RunBuilder, call_of, error_rate, failed, healthy_samples
from test_judge_objectives import Rows, Trial, after, in_steady, same, share, time, whole_only
from test_judge_regression import Compared

from harness.judge import judge
from harness.judge.regression import NAME, baseline_of
from harness.measure import read_run
from harness.model.objective import Kind, Objective, Quantity
from harness.model.outcome import Result, Source
from harness.rundir import codec

S = 1_000_000_000
ROWS = healthy_samples()
LATENCY = time(Quantity.LATENCY, 5000, id="latency")


def of_rows(trial: Trial, *beside: Objective) -> Three:
    """Return the three runs of an objective that counts requests."""

    def run(change: Callable[[Rows], Rows]) -> Callable[[Path], object]:
        return lambda path: objectives.judged(path, trial.asked, change(healthy_samples()), *beside)

    return Three(healthy=run(trial.healthy), broken=run(trial.broken), nothing=run(trial.nothing))


def six_seconds_late() -> Rows:
    """The second model answers only when half of the outage is over, and for long after it."""
    return [replace(row, source=Source.SECONDARY if 18 * S <= row.intended_ns < 29 * S else Source.PRIMARY) for row in ROWS]


def of_fault(quantity: Quantity) -> Three:
    asked = after(quantity, objectives.DRILLS[quantity])
    return Three(
        healthy=lambda path: objectives.judged(path, asked, ROWS),
        broken=lambda path: objectives.judged(path, asked, six_seconds_late()),
        nothing=lambda path: objectives.judged(path, asked, ROWS, steps={}),  # nobody says when the fault began or ended
    )


def of_meter(quantity: Quantity, limit: float) -> Three:
    asked = objectives.objective(quantity, Kind.BUDGET, "<=", limit, ())
    dear = [call_of(row, cost_usd=0.003, completion_tokens=200) for row in ROWS]
    return Three(
        healthy=lambda path: objectives.judged(path, asked, ROWS),
        broken=lambda path: objectives.judged(path, asked, ROWS, calls=dear),
        nothing=lambda path: objectives.judged(path, asked, ROWS, calls=[]),
    )


def of_words(asked: Objective, *, healthy: object, broken: object, nothing: object) -> Three:
    """Return the three runs of an objective that reads files of the run directory; each is given as its files."""

    def run(files: object) -> Callable[[Path], object]:
        return lambda path: words.judged(path, asked, ROWS, files)  # type: ignore[arg-type]

    return Three(healthy=run(healthy), broken=run(broken), nothing=run(nothing))


# -- those that need more than other rows ---------------------------------------------------------------------------------

late_tokens = in_steady(lambda row: replace(row, first_content_ns=row.intended_ns + 3 * S))


def steady_first(path: Path, rows: Rows) -> object:
    """Recovered is what the steady phase was: an objective of it stands beside."""
    return objectives.judged(path, after(Quantity.RECOVERY, 5.0), rows, error_rate(during=("steady",)))


RECOVERY = Three(
    healthy=lambda path: steady_first(path, ROWS),
    broken=lambda path: steady_first(path, [failed(row) if 12 * S <= row.intended_ns < 29 * S else row for row in ROWS]),
    nothing=lambda path: steady_first(path, [row for row in ROWS if row.intended_ns < 22 * S]),
)

NEVER = objectives.NEVER
INTEGRITY = Three(
    healthy=lambda path: objectives.judged(
        path,
        NEVER,
        [failed(row, Result.MALFORMED) if row.seq == 100 else row for row in ROWS],
        calls=objectives.with_cut(ROWS, 100, ended="cut", fault="cut"),
    ),
    broken=lambda path: objectives.judged(path, NEVER, ROWS, calls=objectives.with_cut(ROWS, 100, ended="cut", fault="cut")),
    nothing=lambda path: objectives.judged(path, NEVER, ROWS),  # no call broke off
)

ORDER = Three(
    healthy=lambda path: orders.judged(path / "run", *orders.texts("one two  three four ")),
    broken=lambda path: orders.judged(path / "run", *orders.texts("one three two four")),
    nothing=lambda path: orders.judged(path / "run", ROWS, None),  # no text was kept
)

BURN = Three(
    healthy=lambda path: objectives.judged(path, objectives.BURN, ROWS),
    broken=lambda path: objectives.judged(path, objectives.BURN, objectives.burst(8.0, 11.0)),
    nothing=lambda path: objectives.judged(path, objectives.BURN, ROWS[::10]),  # windows of too few requests
)


def held(seconds: float) -> Rows:
    return [replace(row, ended_ns=row.intended_ns + round(seconds * S)) if row.seq == 100 else row for row in ROWS]


def waits(path: Path, rows: Rows) -> object:
    return words.judged(path, words.objective(Quantity.LONGEST_WAIT, Kind.DURATION, limit=6.0 * S), rows)


LONGEST_WAIT = Three(
    healthy=lambda path: waits(path, held(5.9)),
    broken=lambda path: waits(path, held(6.1)),
    nothing=lambda path: waits(path, [replace(row, result=Result.CANCELLED) for row in ROWS]),
)


def claims(path: Path, rows: Rows) -> object:
    return words.judged(path, words.objective(Quantity.FALSE_CLAIMS, Kind.RATIO, limit=0.05), rows)


FALSE_CLAIMS = Three(
    healthy=lambda path: claims(path, words.claiming(0.001, fallback=False)),
    broken=lambda path: claims(path, words.claiming(0.0005, fallback=False, every=2)),
    nothing=lambda path: claims(path, words.claiming(None, fallback=None)),
)


def joins(path: Path, rows: Rows, **of_call: object) -> object:
    calls = [replace(call, **of_call) for call in RunBuilder(samples=rows)._usual_calls()]  # type: ignore[arg-type]
    return words.judged(path, words.objective(Quantity.JOINED_SHARE, Kind.RATIO, ">=", 0.95), rows, calls=calls)


JOINED = Three(
    healthy=lambda path: joins(path, ROWS),
    broken=lambda path: joins(path, ROWS, request_id="a stranger's"),
    nothing=lambda path: joins(path, [replace(row, source=Source.RULE) for row in ROWS]),  # answers without a model
)


def pays(path: Path, rows: Rows, *, again: bool = False) -> object:
    calls = [call_of(row) for row in ROWS]
    calls += [replace(call, call_id=f"{call.call_id}-again") for call in calls] if again else []
    return words.judged(path, words.objective(Quantity.PAID_TWICE, Kind.RATIO, limit=0.05), rows, calls=calls)


PAID_TWICE = Three(
    healthy=lambda path: pays(path, ROWS),
    broken=lambda path: pays(path, ROWS, again=True),
    nothing=lambda path: pays(path, [replace(row, request_id=f"none-{row.seq}") for row in ROWS]),  # no call is of a request
)


def stops(path: Path, rows: Rows) -> object:
    return words.judged(path, words.objective(Quantity.SILENT_BREAKAGE, Kind.RATIO, limit=0.05), rows)


SILENT_BREAKAGE = Three(
    healthy=lambda path: stops(path, words.stopped(healthy_samples(), "error_event")),
    broken=lambda path: stops(path, words.stopped(healthy_samples(), "no_done")),
    nothing=lambda path: stops(path, [replace(row, streamed=False) for row in ROWS]),
)


def compared(path: Path, rows: Rows, *, baseline: bool = True) -> object:
    asked = (error_rate(0.5, during=("steady",)),)
    run = Compared(objectives=asked, samples=rows).build(path / "new")
    if baseline:
        base = RunBuilder(objectives=asked).build(path / "base")
        (run.path / NAME).write_bytes(codec.to_pretty_json(baseline_of(read_run(base), judge(base))))
        run.write_manifest()
    return judge(run)


REGRESSION = Three(
    healthy=lambda path: compared(path, ROWS),
    broken=lambda path: compared(path, [failed(row) if row.seq % 5 == 0 else row for row in ROWS]),
    nothing=lambda path: compared(path, ROWS, baseline=False),
)


def of_plugin(path: Path, share: float | None) -> object:
    run = extensions.run_with(path, extensions.SHARE)
    if share is not None:
        return extensions.judged(run, extensions.of_share(extensions.hits(share)))
    run.write_manifest()
    return judge(run)


EXTENSION = Three(
    healthy=lambda path: of_plugin(path, 0.05),
    broken=lambda path: of_plugin(path, 0.5),
    nothing=lambda path: of_plugin(path, None),  # nobody asked the plug-in
)

LEAK = {"logs/service-a.log": "fine\nmail to canary@example.org\n"}
KEPT = "exchanges/worker-000.jsonl"
LOGGED = words.objective(Quantity.LOGGED_SHARE, Kind.RATIO, ">=", 0.95)

THREE: Mapping[str, Three] = {
    Quantity.LATENCY: of_rows(Trial(LATENCY, same, objectives.slow)),
    Quantity.TTFT: of_rows(Trial(time(Quantity.TTFT, 2000), same, late_tokens, whole_only)),
    Quantity.ERROR_SHARE: of_rows(Trial(share(Quantity.ERROR_SHARE, "<=", 0.05), same, objectives.broken)),
    Quantity.FALLBACK_SHARE: of_rows(
        Trial(share(Quantity.FALLBACK_SHARE, "<=", 0.05), same, objectives.canned, objectives.rules)
    ),
    **{trial.asked.quantity: of_rows(trial, LATENCY) for trial in objectives.RATIOS.values()},  # goodput takes its bound over
    Quantity.LONGEST_WAIT: LONGEST_WAIT,
    Quantity.STREAM_INTEGRITY: INTEGRITY,
    Quantity.ORDER: ORDER,
    Quantity.RECOVERY: RECOVERY,
    **{quantity: of_fault(quantity) for quantity in objectives.DRILLS},
    Quantity.SPEND: of_meter(Quantity.SPEND, 1.0),
    **{quantity: of_meter(quantity, limit) for quantity, limit in objectives.MONEY.items()},
    Quantity.BURN_RATE: BURN,
    Quantity.SILENT_BREAKAGE: SILENT_BREAKAGE,
    Quantity.FALSE_CLAIMS: FALSE_CLAIMS,
    Quantity.JOINED_SHARE: JOINED,
    Quantity.LOGGED_SHARE: of_words(LOGGED, healthy=words.log_of(ROWS), broken=words.log_of(ROWS, every=2), nothing={}),
    Quantity.PAID_TWICE: PAID_TWICE,
    Quantity.SERVER_METRIC: of_words(
        words.metric(words.COUNTS),
        healthy=words.scraped('http_total{code="200"} 7', 'http_total{code="200"} 647'),
        broken=words.scraped('http_total{code="200"} 7', 'http_total{code="200"} 327'),
        nothing=words.scraped("other_total 7", "other_total 8"),  # an unmatched selector
    ),
    Quantity.LOG_RULE: of_words(
        words.rule(Quantity.LOG_RULE, "service-*"),
        healthy={"logs/service-a.log": "all is well\n"},
        broken=LEAK,
        nothing={"logs/postgres.log": "canary@example.org\n"},
    ),
    Quantity.ANSWER_RULE: of_words(
        words.rule(Quantity.ANSWER_RULE),
        healthy={KEPT: json.dumps({"seq": 5, "response": "hello"})},
        broken={KEPT: json.dumps({"seq": 6, "response": "the key is sk-0123456789"})},
        nothing={KEPT: '{"seq": 5, "resp'},
    ),
    Quantity.REGRESSION: REGRESSION,
    Quantity.EXTENSION: EXTENSION,
}


def test_every_quantity_that_can_be_asked_has_its_three_runs() -> None:
    asked = {quantity.value for quantity in Quantity} - {Quantity.CHECK}  # which are in the other table
    assert not lacking(asked, {Quantity(name).value: three for name, three in THREE.items()})


@pytest.mark.parametrize("name", sorted(THREE))
def test_an_objective_passes_fails_and_knows_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(name, THREE[name], tmp_path, monkeypatch)
