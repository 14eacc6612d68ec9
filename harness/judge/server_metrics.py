"""Server metrics: what the service says of itself, against a limit or against what was counted outside of it.

A figure of this run, with no interval. No scrape, or a name that no scrape has, is never a pass.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from harness.judge.rows import row_of
from harness.measure.reading import Reading
from harness.measure.scrapes import Scrapes
from harness.model.judgement import Judgement, Status, Test
from harness.model.metric_query import Client, Selected, Side, Term, parse_metric_query
from harness.model.objective import Objective
from harness.model.outcome import FALLBACK_SOURCES, Result
from harness.model.probe import ProbeRecord

MOST_NAMES = 6
_OF_PROBES: Mapping[Client, Callable[[ProbeRecord], bool]] = {
    Client.REQUESTS: lambda record: record.status_code is not None,
    Client.ANSWERS: lambda record: record.result == Result.ANSWERED,
    Client.REFUSALS: lambda record: record.result == Result.REFUSED,
    Client.FALLBACKS: lambda record: record.source in FALLBACK_SOURCES,
}


class _UnknownError(Exception):
    """A term that has no value; the message says why."""


def judge_server_metric(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of one comparison over the scrapes of the run. Raises RunDirectoryError."""
    query = parse_metric_query(objective.expression or "")
    scrapes = Scrapes(reading.run.scrapes())
    if scrapes.count == 0:
        silent = f"; {scrapes.failed} were not answered" if scrapes.failed else ""
        reason = f"no scrape of the target's metrics was kept, so nothing could be compared{silent}"
        return [row_of(objective, Status.INCONCLUSIVE, reason)]
    try:
        left, right = _value(query.left, reading, scrapes), _value(query.right, reading, scrapes)
    except _UnknownError as unknown:
        return [row_of(objective, Status.INCONCLUSIVE, str(unknown))]
    holds = {
        "<=": left <= right,
        "<": left < right,
        ">=": left >= right,
        ">": left > right,
        "=": abs(left - right) <= query.within * abs(right) + 1e-9,
    }[query.op]
    nothing = query.op == "=" and left == right == 0
    op = "==" if query.op == "=" else query.op
    test = Test(quantity="server_metric", op=op, limit=right, value=left, n=scrapes.count)
    told = f"{objective.expression}: {_figure(left)} beside {_figure(right)}, by {scrapes.count} scrapes"
    if nothing:
        return [row_of(objective, Status.INCONCLUSIVE, f"{told}: both are nought, so nothing was compared", test=test)]
    return [row_of(objective, Status.PASS if holds else Status.FAIL, told, test=test)]


def _value(side: Side, reading: Reading, scrapes: Scrapes) -> float:
    first = _term(side.first, reading, scrapes)
    if side.second is None:
        return first
    second = _term(side.second, reading, scrapes)
    if side.op == "*":
        return first * second
    if second == 0:
        raise _UnknownError("the divisor is nought: nothing was counted that could be divided by")
    return first / second


def _term(term: Term, reading: Reading, scrapes: Scrapes) -> float:
    if isinstance(term, Selected):
        found = scrapes.find(term)
        if found.value is None:
            names = scrapes.names()
            near = [name for name in names if name.split("_")[0] == term.name.split("_")[0]] or names
            there = f"; there is {', '.join(near[:MOST_NAMES])}" if near else ""
            raise _UnknownError(f"no scrape has a metric {term.name!r} that fits{there}")
        return found.value
    return _counted(term, reading) if isinstance(term, Client) else term


def _counted(client: Client, reading: Reading) -> float:
    requests, calls = reading.requests, reading.calls
    if client.value.startswith("provider_") and calls is None:
        raise _UnknownError("the provider's records are missing, so nothing says what it counted")
    if calls is not None and client is Client.PROVIDER_CALLS:
        return float(calls.count)
    if calls is not None and client is Client.PROVIDER_DOLLARS:
        return calls.cost_usd
    if calls is not None and client is Client.PROVIDER_TOKENS:
        return float(sum(calls.tokens()))
    counted = {
        Client.REQUESTS: ~np.isnan(requests.status_code),
        Client.ANSWERS: requests.answered,
        Client.REFUSALS: requests.result.is_in([Result.REFUSED]),
        Client.FALLBACKS: requests.fallback,
    }[client]
    return float(np.count_nonzero(counted) + sum(map(_OF_PROBES[client], _asked_by_checks(reading))))


def _asked_by_checks(reading: Reading) -> Iterator[ProbeRecord]:
    """Give what checks sent to the chat beside the load: the server has counted it too."""
    chats = {(probe.check_id, probe.name) for probe in reading.plan.probes if probe.path is None}
    return (record for record in reading.run.probes() if (record.check_id, record.name) in chats)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.4g}"
