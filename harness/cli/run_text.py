"""Phases and journal of a run as a terminal shows them."""

from harness.report import visible
from harness.report.material import Material
from harness.report.numbers import NOTHING, count, dollars, moment, seconds


def phases_text(material: Material) -> str:
    """Return one line a phase, and what followed each fault. Empty where nothing was measured."""
    summary = material.summary
    if summary is None:
        return ""
    rows = [("phase", "from, to", "judged", "bad", "p50", "p95", "goodput", "fallback", "spent")]
    for phase in summary.phases:
        by_permille = {each.permille: each.value_s for each in phase.response}
        rows.append((
            visible(phase.name),
            f"{phase.start_s:.0f} to {phase.end_s:.0f} s",
            count(phase.eligible),
            count(phase.bad),
            _latency(by_permille.get(500), phase.eligible),
            _latency(by_permille.get(950), phase.eligible),
            f"{phase.goodput_rps:.1f}/s",
            f"{count(phase.fallback)} of {count(phase.fallback_of)}",
            dollars(phase.spend_usd),
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for recovery in summary.recoveries:
        again = seconds(recovery.recovered_s) if recovery.recovered_s is not None else f"not within {seconds(recovery.window_s)}"
        first = seconds(recovery.to_fallback_s) if recovery.to_fallback_s is not None else "none seen"
        lines.append(f"  after {visible(recovery.after)}: first fallback {first}, recovered {again} (this one drill)")
    return "\n".join([*lines, ""])


def journal_text(material: Material) -> str:
    """Return one line an entry."""
    return "\n".join(
        f"  {moment(entry.t_ns):>9}  {entry.event.value:<20} {visible(entry.subject or '')} "
        f"{visible(', '.join(f'{name} {value}' for name, value in entry.data.items()))}".rstrip()
        for entry in material.journal
    )


def _latency(value_s: float | None, eligible: int) -> str:
    return seconds(value_s) if value_s is not None else ("never" if eligible else NOTHING)
