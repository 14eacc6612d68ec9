"""The debrief of a drill: a post-mortem template, filled with what was measured; people fill in what was learned."""

from collections.abc import Sequence

from harness.model.fault import FaultRecord
from harness.model.journal import Event, JournalEntry
from harness.model.measurement import PhaseSummary, Recovery
from harness.report.markdown import plain
from harness.report.material import Material
from harness.report.numbers import NOTHING, count, dollars, moment, percent, seconds
from harness.report.wording import LOOKS, asked, found, how_to_repeat, sentence

_WATCHED = frozenset({Event.DRILL_ASKED, Event.DRILL_ANSWERED, Event.NOTE})
_TO_FILL = "_to be filled in_"


def was_watched(journal: Sequence[JournalEntry]) -> bool:
    """Return whether people watched a run: they were asked, or wrote notes. Such a run gets a debrief."""
    return any(entry.event in _WATCHED for entry in journal)


def render_debrief(material: Material) -> str:
    """Return the document, in Markdown. What is missing is said; what only people know is left for them to fill in."""
    parts = [
        _head(material),
        _section("What we expected", _expected(material)),
        _section("What happened", _happened(material)),
        _section("Impact", _impact(material)),
        _section("Detection and recovery", _recovery(material)),
        _section("Objectives", _objectives(material)),
        _section("Decisions and notes", _said(material)),
        _section("Timeline", _timeline(material)),
        _section("What went well", _TO_FILL),
        _section("What went badly, and where we were lucky", _TO_FILL),
        _section("Contributing factors", _TO_FILL),
        _section("Actions", "| Action | Owner | Due | Ticket |\n| --- | --- | --- | --- |\n| _to be filled in_ | | | |"),
        _section("Repeat the drill", _repeat(material)),
        "\n".join(f"- {plain(part)}" for part in material.missing),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _head(material: Material) -> str:
    plan, verdict = material.plan, material.verdict
    title = plan.scenario.title if plan else (verdict.scenario.name if verdict else "a drill")
    lines = [f"# Debrief: {plain(title)}", ""]
    if verdict is None:
        lines.append("**NOT JUDGED**: this drill has no verdict.")
    else:
        look = LOOKS[verdict.verdict]
        lines.append(f"**{look.symbol} {look.word}**: {plain(sentence(verdict))}")
    rows = [("Led by", _TO_FILL), ("Who was there", _TO_FILL)]
    if verdict is not None:
        version = verdict.target.version or "unknown"
        rows = [
            ("Started", plain(verdict.started_at)),
            ("Took", seconds(verdict.duration_s)),
            ("Target", plain(f"{plan.target.name if plan else verdict.target.kind}, version {version}")),
            *((plain(name), plain(value)) for name, value in verdict.labels.items()),
            *rows,
        ]
    return "\n".join([*lines, "", "| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)])


def _expected(material: Material) -> str:
    plan = material.plan
    if plan is None:
        return "The plan is missing."
    lines = [plain(" ".join((plan.scenario.hypothesis or "No hypothesis was written.").split())), ""]
    lines.append(f"- Blast radius: {plain(' '.join((plan.scenario.blast_radius or 'none stated').split()))}")
    lines.append(f"- Roll back: {plain(' '.join((plan.scenario.roll_back or 'none stated').split()))}")
    aborts = [f"more than {percent(each.error_ratio)} bad over {seconds(each.for_ns / 1e9)}" for each in plan.abort_when]
    lines.append(f"- It was to end by itself at: {'; '.join(aborts) or 'no condition was written'}")
    return "\n".join(lines)


def _happened(material: Material) -> str:
    ends = [entry for entry in material.journal if entry.event in (Event.ABORTED, Event.INTERRUPTED, Event.TROUBLE)]
    lines = [
        f"- {_at(entry)}: ended early ({entry.event.value}): {plain(str(entry.data.get('reason', '')) or 'by a signal')}"
        for entry in ends
    ]
    if material.verdict is not None:
        lines += [_fault(fault) for fault in material.verdict.faults] or ["- No fault was applied."]
    return "\n".join(lines) or "Nothing can be told: the run was not judged."


def _fault(fault: FaultRecord) -> str:
    if fault.acted is None:
        acted = "no proof that it acted" if fault.expects_action else "not expected to act"
    elif fault.acted.count is None:
        acted = f"how often it acted cannot be told by the {fault.acted.by.value}'s records"
    else:
        acted = f"acted {count(fault.acted.count)} times by the {fault.acted.by.value}'s records"
    return (
        f"- {plain(f'{fault.kind} at {fault.at}')}: confirmed at {moment(fault.confirmed_ns)}, "
        f"proved clear at {moment(fault.proved_clear_ns)}, {acted}"
    )


def _impact(material: Material) -> str:
    summary = material.summary
    if summary is None:
        return "No figures: the measurements are missing."
    rows = ["| Phase | Judged | Bad | p50 | p95 | Fallback | Spent |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    rows += [_phase(phase) for phase in summary.phases]
    rows += ["", f"Spent {dollars(summary.spend_usd)}, planned {dollars(summary.planned_spend_usd)}."]
    rows += [f"What users would have noticed: {_TO_FILL}"]
    return "\n".join(rows)


def _phase(phase: PhaseSummary) -> str:
    by_permille = {each.permille: each.value_s for each in phase.response}
    p50, p95 = (by_permille.get(permille) for permille in (500, 950))
    slow = "above every answer" if phase.eligible else NOTHING
    cells = (
        plain(phase.name),
        count(phase.eligible),
        count(phase.bad),
        seconds(p50) if p50 is not None else slow,
        seconds(p95) if p95 is not None else slow,
        f"{count(phase.fallback)} of {count(phase.fallback_of)}",
        dollars(phase.spend_usd),
    )
    return f"| {' | '.join(cells)} |"


def _recovery(material: Material) -> str:
    recoveries = material.summary.recoveries if material.summary else ()
    lines = [line for each in recoveries for line in _recovered(each)] or ["No recovery was measured."]
    return "\n".join([*lines, f"- How people noticed, and after how long: {_TO_FILL}"])


def _recovered(recovery: Recovery) -> list[str]:
    def told(value_s: float | None, absent: str) -> str:
        return seconds(value_s) if value_s is not None else absent

    never = f"not within {seconds(recovery.window_s)}"
    return [
        f"- {plain(recovery.after)}: first sign outside {told(recovery.to_detect_s, 'none seen')} after the fault was confirmed, "
        f"first fallback {told(recovery.to_fallback_s, 'none seen')}; recovered {told(recovery.recovered_s, never)} after it was "
        f"proved clear, primary again {told(recovery.to_primary_s, never)} (in this drill)"
    ]


def _objectives(material: Material) -> str:
    verdict = material.verdict
    if verdict is None or not verdict.results:
        return "Nothing was judged."
    lines = []
    for each in verdict.results:
        look, where = LOOKS[each.status], f" in {each.phase}" if each.phase else ""
        figures = "; ".join(found(each)) or each.reason
        lines.append(f"- {look.symbol} {look.word} {plain(each.id + where)} ({plain(asked(each))}): {plain(figures)}")
    return "\n".join(lines)


def _said(material: Material) -> str:
    lines = [_word(entry) for entry in material.journal if entry.event in _WATCHED]
    return "\n".join(lines) or "Nobody was asked, and nobody wrote anything down."


def _word(entry: JournalEntry) -> str:
    data, subject = entry.data, entry.subject or ""
    match entry.event:
        case Event.DRILL_ASKED:
            text = f"asked: go for {data.get('what', subject)}? Seen: {data.get('seen')}"
        case Event.DRILL_ANSWERED:
            text = f"{'GO' if data.get('go') else 'NO-GO'} for {subject}, by {data.get('by')}"
        case _:
            text = f"note by {subject}: {data.get('text')}"
    return f"- {_at(entry)}: {plain(text)}"


def _timeline(material: Material) -> str:
    rows = ["| From zero | UTC | What |", "| ---: | --- | --- |"]
    for entry in material.journal:
        if entry.data.get("rehearsal"):
            continue
        notes = ", ".join(f"{name} {value}" for name, value in entry.data.items() if value is not None)
        what = " ".join(part for part in (entry.event.value, entry.subject or "", f"({notes})" if notes else "") if part)
        rows.append(f"| {moment(entry.t_ns)} | {plain(entry.wall)} | {plain(what)} |")
    return "\n".join(rows)


def _at(entry: JournalEntry) -> str:
    return "before the load" if entry.t_ns is None or entry.t_ns < 0 else moment(entry.t_ns)


def _repeat(material: Material) -> str:
    if material.plan is None:
        return "The plan is missing."
    return plain(how_to_repeat(material.plan).replace("harness run", "harness drill", 1))
