"""From a run and a name to an explanation."""

from dataclasses import dataclass

from harness.errors import ConfigurationError
from harness.explain.requests import Explained, join, seq_of_request_id
from harness.explain.selection import Selection, find_judgements, select
from harness.explain.sentences import sum_up
from harness.measure import Reading, read_run
from harness.model.judgement import Judgement, Status, Verdict
from harness.rundir import RunDirectory

DETAILED = 5
"""Requests that are shown whole, with their log lines, where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one result is what it is, or what became of one request (judgement None).

    found, of: how many requests count against it, of how many that were judged. sentences: what they have in common,
    over all of them. requests: the slowest of them, whole.
    """

    judgement: Judgement | None
    noun: str
    found: int
    of: int
    sentences: tuple[str, ...]
    requests: tuple[Explained, ...]


def explain(run: RunDirectory, name: str | None = None, *, detailed: int = DETAILED) -> list[Explanation]:
    """Return one explanation for each result that a name means; of every result that did not pass where there is none.

    name: an objective or check, `latency-p95` or `latency-p95/outage`, or a request by its number or id.
    Raises ConfigurationError for a name that the run does not have, RunDirectoryError.
    """
    verdict = run.verdict()
    reading = read_run(run)
    seq = None if name is None else _seq(run, verdict, name)
    if seq is not None:
        found = join(run, [seq], reading.faults, with_logs=[seq])
        if not found:
            raise ConfigurationError(f"the run has no request {seq}; the last is {int(reading.requests.seq.max(initial=-1))}")
        return [
            Explanation(judgement=None, noun="request", found=1, of=1, sentences=sum_up(found, "request"), requests=tuple(found))
        ]
    if name is None:
        wrong = [each for each in verdict.results if each.status not in (Status.PASS, Status.NOT_APPLICABLE)]
        return [_of_result(run, reading, judgement, detailed) for judgement in wrong]
    return [_of_result(run, reading, judgement, detailed) for judgement in find_judgements(verdict.results, name)]


def _of_result(run: RunDirectory, reading: Reading, judgement: Judgement, detailed: int) -> Explanation:
    selection: Selection = select(reading, judgement, reading.plan.objectives)
    joined = join(run, selection.seqs, reading.faults, with_logs=())
    slowest = sorted(joined, key=_slowness, reverse=True)[:detailed]
    whole = join(run, [each.seq for each in slowest], reading.faults, with_logs=[each.seq for each in slowest])
    return Explanation(
        judgement=judgement,
        noun=selection.noun,
        found=selection.found,
        of=selection.of,
        sentences=sum_up(joined, selection.noun) if joined else (),
        requests=tuple(whole),
    )


def _slowness(request: Explained) -> float:
    return float("inf") if request.spans is None else request.spans.total_ns


def _seq(run: RunDirectory, verdict: Verdict, name: str) -> int | None:
    """Return the number of the request that a name means; None where it names a result, or nothing."""
    if name.partition("/")[0] in {each.id for each in verdict.results}:
        return None
    if name.isascii() and name.isdigit() and len(name) < 19:
        return int(name)
    return seq_of_request_id(run, name)
