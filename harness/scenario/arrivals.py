"""How requests arrive, phase by phase: the keys of `arrivals`, checked by what each process takes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

from harness.arrivals import intended_ns
from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.model.plan import ArrivalProcess, ArrivalSegment, Phase
from harness.scenario.document import ArrivalsDocument, ScenarioDocument
from harness.scenario.trace import read_trace

_KEYS: dict[ArrivalProcess, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ArrivalProcess.CONSTANT: (("rate",), ()),
    ArrivalProcess.POISSON: (("rate",), ()),
    ArrivalProcess.RAMP: (("rate", "to"), ()),
    ArrivalProcess.STEP: (("rate", "to", "steps"), ()),
    ArrivalProcess.SPIKE: (("rate", "to", "at", "peak"), ()),
    ArrivalProcess.SINE: (("rate", "to", "period"), ()),
    ArrivalProcess.REPLAY: (("trace",), ("speed",)),
    ArrivalProcess.CLOSED: (("users",), ("think",)),
}
"""What each process needs, and what it may have beside that."""

_MEANING = {
    "rate": "the rate at its start (of a sine: its mean)",
    "to": "the rate at its end (of a spike or a sine: its peak)",
    "steps": "how many stairs",
    "at": "when the spike begins",
    "peak": "how long the spike lasts",
    "period": "how long one swing takes",
    "trace": "a CSV or JSONL file",
    "speed": "how many times faster than recorded",
    "users": "how many users",
    "think": "how long a user thinks",
}


def compile_segments(
    document: ScenarioDocument, phases: Sequence[Phase], directory: FilePath, workers: int, findings: Findings
) -> tuple[ArrivalSegment, ...]:
    """Return one segment a phase; notes keys that a process lacks or does not take, and traces that cannot be read."""
    segments: list[ArrivalSegment] = []
    is_checked = False  # what all phases have in common is told once
    for index, (part, phase) in enumerate(zip(document.phases, phases, strict=True)):
        if part.arrivals is not None:
            path: Path = ("phases", index, "arrivals")
            segments.append(_segment(part.arrivals, phase, path, directory, workers, findings))
            continue
        told = None if is_checked else findings
        segments.append(_segment(document.load.arrivals, phase, ("load", "arrivals"), directory, workers, told))
        is_checked = True
    return tuple(segments)


def _segment(
    arrivals: ArrivalsDocument, phase: Phase, path: Path, directory: FilePath, workers: int, findings: Findings | None
) -> ArrivalSegment:
    segment = ArrivalSegment(
        process=arrivals.process,
        start_ns=phase.start_ns,
        end_ns=phase.end_ns,
        rate_rps=arrivals.rate or 0.0,
        end_rate_rps=arrivals.to,
        steps=arrivals.steps,
        peak_at_ns=arrivals.at,
        peak_ns=arrivals.peak,
        period_ns=arrivals.period,
        users=arrivals.users,
        think_ns=arrivals.think or 0,
    )
    harmless = replace(segment, process=ArrivalProcess.POISSON, end_rate_rps=None)
    if findings is not None and not _has_its_keys(arrivals, path, findings):
        return harmless
    if arrivals.process is ArrivalProcess.REPLAY and arrivals.trace is not None:
        trace = read_trace(directory / arrivals.trace, arrivals.speed, lambda what: _add(findings, (*path, "trace"), what))
        segment = replace(segment, times_ns=trace.times_ns, prompt_tokens=trace.prompt_tokens, max_tokens=trace.max_tokens)
        if findings is not None and trace.times_ns and trace.times_ns[-1] < (phase.end_ns - phase.start_ns) / 2:
            what = f"the trace is over after {trace.times_ns[-1] / 1e9:.1f} s, before half of phase {phase.name!r}"
            _add(findings, (*path, "trace"), f"{what}; make the phase shorter, or `speed` lower")
    if arrivals.process is ArrivalProcess.CLOSED and workers > 1:
        _add(
            findings,
            path,
            "a closed loop runs on one load worker: its users are no schedule to share; leave --workers out",
        )
    try:
        intended_ns([replace(segment, end_ns=segment.start_ns, times_ns=(), prompt_tokens=(), max_tokens=())], 0)
    except ValueError as error:
        _add(findings, path, str(error).replace("end_rate_rps", "`to`").replace("period_ns", "`period`"))
        return harmless
    return segment


def _has_its_keys(arrivals: ArrivalsDocument, path: Path, findings: Findings) -> bool:
    needed, optional = _KEYS[arrivals.process]
    given = {name for name in _MEANING if getattr(arrivals, name) is not None and name in arrivals.model_fields_set}
    for name in needed:
        if name not in given:
            findings.add(path, f"a {arrivals.process.value} process needs `{name}`, {_MEANING[name]}")
    for name in sorted(given - {*needed, *optional}):
        fitting = [process.value for process, keys in _KEYS.items() if name in (*keys[0], *keys[1])]
        findings.add((*path, name), f"`{name}` belongs to {' or '.join(fitting)}; the process is {arrivals.process.value}")
    return given >= set(needed) and given <= {*needed, *optional}


def _add(findings: Findings | None, path: Path, what: str) -> None:
    if findings is not None:
        findings.add(path, what)
