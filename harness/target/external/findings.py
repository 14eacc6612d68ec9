"""What each line of a description finds in one answer: for `harness try`."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.exchange.predicates import Evidence
from harness.model.signals import Comparison, Predicate, RefusalRule, Signals
from harness.target.external.probe import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One signal on one answer. line: the description's key; value: None where nothing stands there."""

    line: str
    looked: str
    value: str | None
    holds: bool


def signals_on(found: Probe, signals: Signals) -> list[Found]:
    """Return every signal and refusal rule of a description with what it finds in an answer."""
    evidence = evidence_of(found)
    named = {
        "signals.fallback": signals.fallback,
        "signals.degraded": signals.degraded,
        "signals.cache": signals.cache,
        "signals.cost": signals.cost,
    }
    rows = [_row(line, predicate, evidence) for line, predicate in named.items() if predicate is not None]
    rows += [_row(f"signals.source is {source.value}", predicate, evidence) for source, predicate in signals.sources]
    rows += [
        Found(line=f"signals.{name}", looked=f"{_written(predicate)}, over a whole run", value=None, holds=False)
        for name, predicate in signals.over_the_run.items()
    ]
    rules = [(refusal.value, rule) for refusal, rule in signals.refusals] + [("shed", rule) for rule in signals.shed]
    return rows + [_rule(f"refusals.{name}", rule, evidence) for name, rule in rules]


def evidence_of(found: Probe) -> Evidence:
    """Return what predicates look at: the headers, and the JSON of the body or of each event of a stream."""
    headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in found.headers.items()}
    return Evidence(status_code=found.status or 0, headers=headers, documents=tuple(_documents(found.headers, found.body)))


def _documents(headers: Mapping[str, str], body: bytes) -> Iterator[object]:
    pieces = [body]
    if headers.get("content-type", "").startswith("text/event-stream"):
        pieces = [line[5:].strip() for line in body.splitlines() if line.startswith(b"data:")]
    for piece in pieces:
        try:
            yield json.loads(piece)
        except ValueError:
            continue


def _row(line: str, predicate: Predicate, evidence: Evidence) -> Found:
    value = evidence.find(predicate)
    return Found(
        line=line, looked=_written(predicate), value=None if value is None else str(value), holds=evidence.holds(predicate)
    )


def _rule(line: str, rule: RefusalRule, evidence: Evidence) -> Found:
    looked = f"status in {', '.join(map(str, rule.status))}"
    value: str | None = str(evidence.status_code)
    if rule.predicate is not None:
        looked += f" and {_written(rule.predicate)}"
        found = evidence.find(rule.predicate)
        value = f"{value}, {found}" if found is not None else value
    return Found(line=line, looked=looked, value=value, holds=evidence.refused_by(rule))


def _written(predicate: Predicate) -> str:
    test = "" if predicate.comparison is Comparison.PRESENT else f" {predicate.comparison.value} {predicate.value!r}"
    return f"{predicate.where.value} {predicate.key}{test}"
