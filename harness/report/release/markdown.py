"""Markdown of a release, for a pull request or a step summary: the decision, why, and the checklist."""

from harness.model.readiness import Held, Readiness, ReleaseRun, RowResult, RowStatus
from harness.report.markdown import plain
from harness.report.numbers import NOTHING, count, dollars, seconds
from harness.report.release.looks import DECISIONS, ROWS, attempts_text, headline, who_may_sign
from harness.report.release.material import ReleaseMaterial
from harness.report.wording import LOOKS

_MOST_REASONS = 12


def render_markdown(material: ReleaseMaterial) -> str:
    """Return the document. Everything that comes from files or runs is escaped."""
    readiness = material.readiness
    look = DECISIONS[readiness.decision]
    version = f" on {plain(readiness.target or 'no one target')} {plain(readiness.target_version or '')}".rstrip()
    parts = [
        f"## {look.symbol} {look.word}: release {plain(readiness.release)}{version}",
        f"{headline(readiness)}. {plain(who_may_sign(readiness))}",
        "\n".join(f"- {plain(reason)}" for reason in readiness.reasons[:_MOST_REASONS]),
        _checklist(readiness),
        _changes(readiness),
        _runs(readiness),
        _held(readiness),
        "\n".join(f"- {plain(problem.text)}" for problem in readiness.problems if not problem.blocks),
        _inputs(readiness, material.command),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _checklist(readiness: Readiness) -> str:
    settled = [row for row in readiness.rows if row.status is not RowStatus.NOT_COVERED]
    uncovered = [row for row in readiness.rows if row.status is RowStatus.NOT_COVERED]
    lines = ["| | Row | By | Attempts | Why |", "| --- | --- | --- | --- | --- |"] if settled else []
    lines += [_row(row) for row in settled]
    if uncovered:
        names = ", ".join(plain(row.id) for row in uncovered)
        lines += ["", f"{ROWS[RowStatus.NOT_COVERED].symbol} Not covered ({len(uncovered)}): {names}"]
    return "\n".join(lines)


def _row(row: RowResult) -> str:
    look = ROWS[row.status]
    needed = "" if row.required else " (not required)"
    until = f", until {plain(row.expires)}" if row.expires else ""
    attempts = attempts_text(row.attempts) if row.evidence else NOTHING
    cells = (
        f"{look.symbol} {look.word}{until}",
        f"{plain(row.id)}{needed}: {plain(row.title)}",
        ", ".join(plain(ref) for ref in row.by) or NOTHING,
        attempts,
        plain(row.reason),
    )
    return f"| {' | '.join(cells)} |"


def _changes(readiness: Readiness) -> str:
    if readiness.previous is None:
        return ""
    head = f"Since release {plain(readiness.previous.release)} ({readiness.previous.decision.value}):"
    if not readiness.changes:
        return f"{head} no row changed."
    lines = [
        f"- {plain(change.row)}: {change.before.value if change.before else 'not asked for'} → "
        f"{change.now.value if change.now else 'no longer asked for'}"
        for change in readiness.changes
    ]
    return "\n".join([head, "", *lines])


def _runs(readiness: Readiness) -> str:
    return "\n".join([f"{len(readiness.runs)} runs:" if readiness.runs else "No run.", "", *map(_run, readiness.runs)]).rstrip()


def _run(run: ReleaseRun) -> str:
    verdict = f"{LOOKS[run.verdict].symbol} {LOOKS[run.verdict].word}" if run.verdict else "not judged"
    health = run.instrument
    sent = f", {count(health.sent)} of {count(health.intended)} sent" if health else ""
    why_not = "".join(f"; proves nothing: {plain(text)}" for text in run.why_not[:1])
    return (
        f"- {plain(run.scenario)} {verdict} ({plain(run.run_id)}): {seconds(run.duration_s)}{sent}, "
        f"spent {dollars(run.spend_usd)}{why_not}"
    )


def _held(readiness: Readiness) -> str:
    return "\n".join(_one_held(each) for each in readiness.held)


def _one_held(held: Held) -> str:
    until = f" until {plain(held.expires)}" if held.expires else ""
    effect = "" if held.holds else f" **has no effect**: {plain(held.note)}"
    link = f" ({plain(held.link)})" if held.link else ""
    return f"- {held.kind} {plain(held.subject)} by {plain(held.owner)}{until}: {plain(held.text)}{link}{effect}"


def _inputs(readiness: Readiness, command: str) -> str:
    lines = [f"- {plain(each.kind)} {plain(each.name)}: {each.sha256[:16]}" for each in readiness.inputs]
    repeat = f"Repeat: {plain(command)}" if command else ""
    return "\n".join([*lines, "", repeat]).strip()
