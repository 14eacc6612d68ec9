"""Markdown for a step summary or a pull request: the verdict, the reason and one row for each result."""

import re

from harness.model.judgement import Judgement, Verdict
from harness.report.material import Material
from harness.report.numbers import NOTHING, count, dollars, milliseconds, seconds
from harness.report.visible import harmless
from harness.report.wording import LOOKS, asked, found, how_to_repeat, sentence

_ACTIVE = re.compile(r"([\\`*_\[\]<>|~#&])")
_LINKS = re.compile(r"(?i)(:)(?=//)|(?<=www)(\.)|(?<=mailto)(:)|(?<=xmpp)(:)")


def plain(text: str) -> str:
    """Return text that a Markdown reader shows as it is: no markup, no link, no mention, no new cell."""
    escaped = _ACTIVE.sub(r"\\\1", harmless(text))
    escaped = _LINKS.sub(lambda match: f"\\{match.group(0)}", escaped)
    return escaped.replace("@", "@\u200b")  # a zero-width space: a name after @ would be notified


def render_markdown(material: Material) -> str:
    """Return the document. Without a verdict it says what is missing."""
    verdict = material.verdict
    if verdict is None:
        parts = ["## NOT JUDGED", "This run has no verdict.", _missing(material)]
        return "\n\n".join(part for part in parts if part) + "\n"
    look = LOOKS[verdict.verdict]
    parts = [
        f"## {look.symbol} {look.word}: {plain(verdict.scenario.name)}",
        f"**{plain(sentence(verdict))}**",
        _results(verdict),
        _faults(verdict),
        _instrument(verdict),
        _missing(material),
        _repeat(material, verdict),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _results(verdict: Verdict) -> str:
    if not verdict.results:
        return "Nothing was judged."
    rows = ["| | Objective | Phase | Found | Reason |", "| --- | --- | --- | --- | --- |"]
    rows += [_row(judgement) for judgement in verdict.results]
    return "\n".join(rows)


def _row(judgement: Judgement) -> str:
    look = LOOKS[judgement.status]
    cells = (
        f"{look.symbol} {look.word}",
        f"{plain(judgement.id)}: {plain(asked(judgement))}",
        plain(judgement.phase or NOTHING),
        "; ".join(plain(line) for line in found(judgement)) or NOTHING,
        plain(judgement.reason),
    )
    return f"| {' | '.join(cells)} |"


def _faults(verdict: Verdict) -> str:
    lines = []
    for fault in verdict.faults:
        acted = "no proof that it acted"
        if fault.acted is not None and fault.acted.count is None:
            acted = f"how often it acted cannot be told by the {fault.acted.by}'s records"
        elif fault.acted is not None and fault.acted.count:
            acted = f"acted {count(fault.acted.count)} times by the {fault.acted.by}'s records"
        lines.append(f"- fault {plain(fault.kind)} at {plain(fault.at)} in {plain(fault.phase)}: {acted}")
    return "\n".join(lines)


def _instrument(verdict: Verdict) -> str:
    health = verdict.instrument
    text = (
        f"Instrument {'valid' if health.valid else '**not valid**'}: {count(health.sent)} of {count(health.intended)} arrivals "
        f"sent, dispatch lag p99 {milliseconds(health.lag_p99_ms)}. "
        f"Spend {dollars(verdict.spend_usd)}, {seconds(verdict.duration_s)}."
    )
    return "\n".join([text, *(f"- {plain(problem)}" for problem in health.problems)])


def _missing(material: Material) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in material.missing)


def _repeat(material: Material, verdict: Verdict) -> str:
    command = how_to_repeat(material.plan) if material.plan else f"harness run {verdict.scenario.name} --seed {verdict.seed}"
    run, digest, version = (plain(text) for text in (verdict.run_id, verdict.plan_digest[:12], verdict.harness_version))
    return f"Repeat: {plain(command)}  \nRun {run}, plan {digest}, harness {version}"
