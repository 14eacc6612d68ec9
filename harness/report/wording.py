"""The words that every report uses alike: the page, Markdown, JUnit and the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.judgement import Judgement, Shown, Status, Test, Verdict
from harness.model.objective import Kind
from harness.model.repeat import how_to_repeat
from harness.report.numbers import NOTHING, count, dollars, in_unit, percent, seconds

__all__ = ["LOOKS", "Look", "asked", "found", "how_to_repeat", "sentence"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a status looks without colour: a word and a symbol; meaning is one plain clause."""

    word: str
    symbol: str
    meaning: str


LOOKS: Mapping[Status, Look] = {
    Status.PASS: Look("PASS", "✓", "every gate objective was met, with evidence enough"),
    Status.WARN: Look("WARN", "!", "every gate objective was met; one that only warns was not"),
    Status.FAIL: Look("FAIL", "✗", "at least one gate objective was not met"),
    Status.INCONCLUSIVE: Look("INCONCLUSIVE", "?", "too little evidence to say pass or fail"),
    Status.INVALID: Look("INVALID", "⊘", "the instrument failed: what was measured cannot be trusted"),
    Status.NOT_APPLICABLE: Look("NOT APPLICABLE", "–", "this does not apply to the target"),
    Status.WAIVED: Look("WAIVED", "~", "set aside by a named owner"),
}


def sentence(verdict: Verdict) -> str:
    """Return the verdict's reason without the word that stands beside it anyway, as a sentence."""
    text = verdict.reason.removeprefix(f"{verdict.verdict.value}: ")
    return text[:1].upper() + text[1:]


def asked(judgement: Judgement) -> str:
    """Return what was asked, as the user wrote it where that is known."""
    if judgement.written:
        return judgement.written
    test = judgement.test
    return f"{_words(test.quantity)} {test.op} {_limit(judgement, test)}" if test else judgement.id


def found(judgement: Judgement) -> tuple[str, ...]:
    """Return what was found, a short line each: the figure people look for, then what was tested."""
    shown, test = judgement.shown, judgement.test
    lines = []
    if shown is not None and not (test is not None and judgement.kind is not Kind.RATIO and test.value == shown.value):
        lines.append(_shown(judgement.kind, shown, test))
    if test is not None:
        lines += _ratio(test, shown) if judgement.kind is Kind.RATIO else [_single(judgement, test)]
    return tuple(lines)


def _shown(kind: Kind, shown: Shown, test: Test | None) -> str:
    if shown.value is not None:
        figure = in_unit(shown.value, shown.unit)
    else:
        figure = "above every answer" if kind is Kind.RATIO and test is not None and test.n else "no data"
    text = f"{_words(shown.quantity)} {figure}"
    if shown.interval is not None:
        low, high = (in_unit(end, shown.unit) for end in shown.interval)
        text += f" (interval {low} to {high})"
    return text


def _ratio(test: Test, shown: Shown | None) -> list[str]:
    limit = test.limit
    if test.n is None or test.bad is None or not test.n:
        return [f"no data; must be {test.op} {percent(limit)}"]
    hits = test.bad if test.op.startswith("<") else test.n - test.bad
    same = shown is not None and shown.unit == "ratio"
    share = "" if same else f" ({_words(test.quantity)} {percent(test.value, against=limit)})"
    lines = [f"{count(hits)} of {count(test.n)}{share}"]
    if test.lower is not None or test.upper is not None:
        level = f" at {percent(test.confidence)} confidence each" if test.confidence is not None else ""
        low, high = percent(test.lower, against=limit), percent(test.upper, against=limit)
        lines.append(f"between {low} and {high}{level}; must be {test.op} {percent(limit)}")
    if test.n_effective is not None and round(test.n_effective) < test.n:
        lines.append(f"worth {count(test.n_effective)} independent requests")
    if test.needed:
        lines.append(f"about {count(test.needed)} more requests needed to decide")
    return lines


def _single(judgement: Judgement, test: Test) -> str:
    must = f"must be {test.op} {_limit(judgement, test)}"
    name = _words(test.quantity)
    if test.value is not None:
        return f"{name} {_value(judgement, test)}; {must}"
    if test.lower is not None:  # censored: looked for so long and not seen
        return f"{name} more than {_figure(judgement, test, test.lower, test.limit)}; {must}"
    return f"{name}: no data; {must}"


def _value(judgement: Judgement, test: Test) -> str:
    return _figure(judgement, test, test.value, test.limit)


def _limit(judgement: Judgement, test: Test) -> str:
    return _figure(judgement, test, test.limit, None)


def _figure(judgement: Judgement, test: Test, value: float | None, against: float | None) -> str:
    if value is None:
        return NOTHING
    match judgement.kind:
        case Kind.RATIO:
            return percent(value, against=against)
        case Kind.DURATION:
            scale = 1e9 if test.quantity.endswith("_ns") else 1.0
            return seconds(value / scale, against=None if against is None else against / scale)
        case _ if test.quantity.endswith("_usd"):
            return dollars(value, against=against)
        case _:
            return f"{value:,.6g}"


def _words(quantity: str) -> str:
    for unit in ("_ns", "_s", "_usd", "_ms", "_ratio"):
        quantity = quantity.removesuffix(unit)
    return quantity.replace("_", " ")
