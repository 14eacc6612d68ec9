"""The matrix of planted defects as text: what caught what, what was missed, and what cried wolf."""

import enum
from dataclasses import dataclass

from harness.errors import ExitCode


class Finding(enum.StrEnum):
    """What one trial of the gate came to."""

    CAUGHT = "caught"
    MISSED = "MISSED"
    UNJUDGED = "not judged"
    CLEAN = "clean"
    FALSE_ALARM = "FALSE ALARM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of the gate. defect: None for the healthy service. by: the results that failed."""

    defect: str | None
    scenario: str
    finding: Finding
    by: tuple[str, ...]
    reason: str
    took_s: float
    directory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Every trial of one `harness verify-gate`. `gate.json` beside the runs."""

    trials: tuple[Trial, ...]
    schema: str = "harness.gate/1"

    @property
    def exit_code(self) -> ExitCode:
        """Return fail for a missed defect or a false alarm, inconclusive where a run told nothing or there was none."""
        findings = {trial.finding for trial in self.trials}
        if findings & {Finding.MISSED, Finding.FALSE_ALARM}:
            return ExitCode.FAIL
        return ExitCode.INCONCLUSIVE if Finding.UNJUDGED in findings or not findings else ExitCode.PASS


def matrix_text(matrix: Matrix) -> str:
    """Return the matrix as a table, and what it adds up to."""
    rows = [("planted", "scenario", "", "by", "took")]
    rows += [
        (
            trial.defect or "(healthy)",
            trial.scenario,
            trial.finding.value,
            ", ".join(trial.by) or trial.reason,
            f"{trial.took_s:.0f} s",
        )
        for trial in matrix.trials
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), f"{row[4]:>5}", row[3]])
        for row in rows
    ]
    planted = [trial for trial in matrix.trials if trial.defect is not None]
    healthy = [trial for trial in matrix.trials if trial.defect is None]
    caught = sum(trial.finding is Finding.CAUGHT for trial in planted)
    alarms = sum(trial.finding is Finding.FALSE_ALARM for trial in healthy)
    lines.append("")
    lines.append(f"{caught} of {len(planted)} planted defects caught; {alarms} false alarms in {len(healthy)} healthy runs")
    return "\n".join(lines)
