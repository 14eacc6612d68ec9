"""The matrix of planted defects: what caught what, what was missed, what nobody looks for, and what cried wolf."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ConfigurationError, ExitCode, RunDirectoryError
from harness.rundir import codec

GATE_NAME = "gate.json"
"""The matrix so far, beside the runs."""
GATE_SCHEMA = "harness.gate/1"


class Finding(enum.StrEnum):
    """What one trial of the gate came to."""

    CAUGHT = "caught"
    MISSED = "MISSED"
    UNJUDGED = "not judged"
    CLEAN = "clean"
    FALSE_ALARM = "FALSE ALARM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One look of the gate. defect: None for the healthy service. by: the results that failed.

    beside: what else was planted in the same run; `by` then holds the named results only, and `took_s` is the run's.
    """

    defect: str | None
    scenario: str
    finding: Finding
    by: tuple[str, ...]
    reason: str
    took_s: float
    directory: str
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Every trial of one `harness verify-gate`. `gate.json` beside the runs.

    uncaught: the planted defects that no scenario is known to catch, where all were asked for. bundle: whose scenarios these
    are, if a bundle's; not_its: the planted defects that are for other scenarios than its own.
    """

    trials: tuple[Trial, ...]
    uncaught: tuple[str, ...] = ()
    bundle: str | None = None
    not_its: tuple[str, ...] = ()
    schema: str = GATE_SCHEMA

    @property
    def exit_code(self) -> ExitCode:
        """Return fail for a missed defect or a false alarm; inconclusive where a run told nothing, there was none, or
        a defect has no catcher."""
        findings = {trial.finding for trial in self.trials}
        if findings & {Finding.MISSED, Finding.FALSE_ALARM}:
            return ExitCode.FAIL
        return ExitCode.INCONCLUSIVE if Finding.UNJUDGED in findings or not findings or self.uncaught else ExitCode.PASS

    def sentence(self) -> str:
        """Return what it adds up to."""
        planted = [trial for trial in self.trials if trial.defect is not None]
        healthy = [trial for trial in self.trials if trial.defect is None]
        caught = sum(trial.finding is Finding.CAUGHT for trial in planted)
        alarms = sum(trial.finding is Finding.FALSE_ALARM for trial in healthy)
        rest = f"; {len(self.uncaught)} more have no catcher yet" if self.uncaught else ""
        if self.bundle is not None:
            every = len({trial.defect for trial in planted} | set(self.not_its))
            rest += f", {100 * caught / every if every else 0:.0f} % of the {every} of which the bundle {self.bundle} was asked"
        return f"{caught} of {len(planted)} planted defects caught{rest}; {alarms} false alarms in {len(healthy)} healthy runs"


def read_matrices(directories: Sequence[Path]) -> Matrix:
    """Return the matrices below several directories as one. Raises ConfigurationError where one has none that can be read."""
    trials: list[Trial] = []
    uncaught: list[str] = []
    not_its: list[str] = []
    bundles: set[str | None] = set()
    for directory in directories:
        try:
            matrix = codec.read_json(directory / GATE_NAME, Matrix)
        except RunDirectoryError as error:
            raise ConfigurationError(str(error), advice="name directories that `harness verify-gate --out` wrote") from error
        if matrix.schema != GATE_SCHEMA:
            raise ConfigurationError(f"{directory / GATE_NAME}: written as {matrix.schema}, read as {GATE_SCHEMA}")
        trials += matrix.trials
        uncaught += matrix.uncaught
        not_its += matrix.not_its
        bundles.add(matrix.bundle)
    if len(bundles) > 1:
        raise ConfigurationError("--merge puts together what one bundle caught, or what all scenarios did, and not both")
    tried = {trial.defect for trial in trials}
    return Matrix(
        trials=tuple(trials),
        uncaught=tuple(name for name in dict.fromkeys(uncaught) if name not in tried),
        bundle=next(iter(bundles), None),
        not_its=tuple(name for name in dict.fromkeys(not_its) if name not in tried),
    )


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
    if matrix.uncaught:
        lines += ["", f"no scenario is known to catch: {', '.join(matrix.uncaught)}"]
    if matrix.not_its:
        lines += ["", f"for other scenarios than those of the bundle {matrix.bundle}: {', '.join(matrix.not_its)}"]
    return "\n".join([*lines, "", matrix.sentence()])


def matrix_markdown(matrix: Matrix, command: str) -> str:
    """Return the matrix as a page. command: what wrote it."""
    planted = sorted((t for t in matrix.trials if t.defect is not None), key=lambda t: (t.defect or "", t.scenario))
    healthy = sorted((t for t in matrix.trials if t.defect is None), key=lambda t: t.scenario)
    lines = ["# What the gate catches", "", f"Written by `{command}`; {matrix.sentence()}.", ""]
    lines += ["| planted defect | scenario | | results that failed | beside | s |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| `{t.defect}` | {t.scenario} | {t.finding.value} | {', '.join(t.by) or '-'} | {len(t.beside) or '-'} "
        f"| {t.took_s:.0f} |"
        for t in planted
    ]
    lines += [f"| `{name}` | - | no catcher yet | - | - | - |" for name in sorted(matrix.uncaught)]
    lines += [
        f"| `{name}` | - | for other scenarios than those of `{matrix.bundle}` | - | - | - |" for name in sorted(matrix.not_its)
    ]
    lines += ["", "| healthy service | | s |", "| --- | --- | --- |"]
    lines += [f"| {t.scenario} | {t.finding.value} | {t.took_s:.0f} |" for t in healthy]
    return "\n".join(lines) + "\n"
