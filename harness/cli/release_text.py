"""What a terminal says of a decided release: the decision, why, and where the document is."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from harness.model.judgement import Status
from harness.model.readiness import Readiness, RowStatus
from harness.report import visible
from harness.report.release import DECISIONS, ROWS, headline

_COLOURS = {Status.PASS: "32", Status.FAIL: "31", Status.INCONCLUSIVE: "33", Status.INVALID: "35", Status.WARN: "33",
            Status.WAIVED: "36", Status.NOT_APPLICABLE: "90"}  # fmt: skip
_MOST_REASONS = 8


def print_release(readiness: Readiness, paths: Sequence[Path], stream: TextIO) -> None:
    """Write the decision. Text of runs and files is shown without its control characters."""
    colour = stream.isatty() and not os.environ.get("NO_COLOR")

    def painted(text: str, tone: Status) -> str:
        return f"\x1b[1;{_COLOURS[tone]}m{text}\x1b[0m" if colour else text

    look = DECISIONS[readiness.decision]
    target = f"{readiness.target or 'no one target'} {readiness.target_version or ''}".strip()
    lines = [
        "",
        f"  {painted(f'{look.symbol} {look.word}', look.tone)}  release {visible(readiness.release)} of {visible(target)}",
    ]
    lines += [f"  {headline(readiness)}", ""]
    lines += [f"  - {visible(reason)}" for reason in readiness.reasons[:_MOST_REASONS]]
    if len(readiness.reasons) > _MOST_REASONS:
        lines.append(f"    and {len(readiness.reasons) - _MOST_REASONS} more in the document")
    lines.append("")
    for row in readiness.rows:
        if row.status is not RowStatus.NOT_COVERED:
            row_look = ROWS[row.status]
            lines.append(
                f"  {painted(row_look.symbol, row_look.tone)} {row.id:<4} {row_look.word.lower():<14} {visible(row.title)}"
            )
    lines += [f"  note: {visible(problem.text)}" for problem in readiness.problems if not problem.blocks]
    lines += ["", *(f"  {path}" for path in paths), ""]
    text = "\n".join(lines) + "\n"
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()
