"""What a terminal says at the end of a run: the verdict, why, one line for each result, and where the report is."""

import shlex
from typing import TextIO

from harness.model.fault import FaultRecord
from harness.model.judgement import Judgement, Status, Verdict
from harness.report import LOOKS, asked, found, sentence, visible
from harness.report.numbers import count, dollars, milliseconds, moment, percent, seconds
from harness.rundir import RunDirectory

_COLOURS = {Status.PASS: "32", Status.WARN: "33", Status.FAIL: "31", Status.INCONCLUSIVE: "33", Status.INVALID: "35",
            Status.NOT_APPLICABLE: "90", Status.WAIVED: "36"}  # fmt: skip
_WIDEST_NAME = 40
_EXPLAINED = frozenset({Status.FAIL, Status.WARN, Status.INCONCLUSIVE})
"""What `harness explain` has something to say about: a result that was waived or invalid is not the target's to explain."""


def print_verdict(verdict: Verdict, run: RunDirectory, stream: TextIO, *, colour: bool) -> None:
    """Write the end-of-run text. Text of the target is shown without its control characters; `colour` adds ANSI colours.

    A character that the stream's encoding lacks is written as an escape rather than raised.
    """
    text = "\n".join(_lines(verdict, run, colour=colour)) + "\n"
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _lines(verdict: Verdict, run: RunDirectory, *, colour: bool) -> list[str]:
    look = LOOKS[verdict.verdict]
    mark = _painted(f"{look.symbol} {look.word}", verdict.verdict, colour=colour, bold=True)
    lines = [
        "",
        f"  {mark}  {visible(verdict.scenario.name)}",
        f"  {visible(sentence(verdict))}",
        "",
    ]
    width = min(max((len(_name(judgement)) for judgement in verdict.results), default=0), _WIDEST_NAME)
    for judgement in verdict.results:
        lines += _result(judgement, width, colour=colour)
    if not verdict.results:
        lines.append("  nothing was judged")
    lines.append("")
    lines += [f"  {_fault(fault)}" for fault in verdict.faults]
    lines += _instrument(verdict)
    lines.append(f"  spent {dollars(verdict.spend_usd)} in {seconds(verdict.duration_s)}, seed {verdict.seed}")
    lines += _files(verdict, run)
    return lines


def _result(judgement: Judgement, width: int, *, colour: bool) -> list[str]:
    look = LOOKS[judgement.status]
    mark = _painted(look.symbol, judgement.status, colour=colour)
    figures = [visible(line) for line in found(judgement)]
    head = f"  {mark} {_name(judgement):<{width}}  {visible(asked(judgement))}"
    lines = [f"{head}: {figures[0]}" if figures else head]
    lines += [f"      {'; '.join(figures[1:])}"] if figures[1:] else []
    if judgement.status is not Status.PASS:
        word = _painted(look.word.lower(), judgement.status, colour=colour)
        warns = " (warns only)" if judgement.severity.value == "warn" else ""
        lines.append(f"      {word}{warns}: {visible(judgement.reason)}")
    return lines


def _name(judgement: Judgement) -> str:
    name = f"{judgement.id} in {judgement.phase}" if judgement.phase else judgement.id
    return visible(name, longest=200)


def _fault(fault: FaultRecord) -> str:
    name = visible(f"{fault.kind} at {fault.at}")
    if fault.acted is not None and fault.acted.count is None:
        acted = f"how often it acted cannot be told by the {fault.acted.by.value}'s records"
    elif fault.acted is not None and fault.acted.count:
        acted = f"acted {count(fault.acted.count)} times by the {fault.acted.by.value}'s records"
    else:
        acted = "has no proof that it acted" if fault.expects_action else "was not expected to act"
    cleared = f"proved clear at {moment(fault.proved_clear_ns)}" if fault.proved_clear_ns is not None else "never proved clear"
    return f"fault {name}: confirmed at {moment(fault.confirmed_ns)}, {acted}, {cleared}"


def _instrument(verdict: Verdict) -> list[str]:
    health = verdict.instrument
    line = (
        f"  instrument {'valid' if health.valid else 'NOT VALID'}: {count(health.sent)} of {count(health.intended)} sent, "
        f"dispatch lag p99 {milliseconds(health.lag_p99_ms)}, event loop lag p99 {milliseconds(health.loop_lag_p99_ms)}, "
        f"CPU {percent(health.cpu_ratio)}"
    )
    return [line, *(f"      {visible(problem)}" for problem in health.problems)]


def _files(verdict: Verdict, run: RunDirectory) -> list[str]:
    report = run.path / "report.html"
    lines = [f"  report {report}" if report.is_file() else f"  run directory {run.path}"]
    if any(each.status in _EXPLAINED for each in verdict.results):
        lines.append(f"  why    harness explain {shlex.quote(str(run.path))}")
    return [*lines, ""]


def _painted(text: str, status: Status, *, colour: bool, bold: bool = False) -> str:
    return f"\x1b[{'1;' if bold else ''}{_COLOURS[status]}m{text}\x1b[0m" if colour else text
