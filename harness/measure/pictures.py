"""The frames of the plots that show more than a figure a second: heat of latencies, token gaps, states of breakers.

Their columns are listed in `harness.model.measurement`. Each is small whatever the run: what is drawn is what is kept.
"""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.measure.columns import Floats, batches
from harness.measure.quantiles import values_at_s
from harness.measure.reading import Reading
from harness.measure.scrapes import series_of
from harness.model.units import NS_PER_S
from harness.rundir.scrapes import Scrape

HEAT_COLUMNS, HEAT_ROWS = 96, 30
_ROWS_AT_ONCE = 1 << 16
"""A piece and what is made of it stay in the processor's cache; all rows at once would be laid out six times over."""
SHORTEST_NS, LONGEST_NS = 10_000_000, 60_000_000_000
CIRCUIT_METRIC = "gateway_circuit_state"
"""0 closed, 1 half-open, 2 open; a label `endpoint` says of whom. What a service calls so is drawn, whoever wrote it."""
_GAPS, _PERMILLE = ("seen_s", "longest_s", "sent_s"), range(1, 1001)
_STATES = ("closed", "half-open", "open")


def heat_of(reading: Reading) -> pa.Table:
    """Return how many answers of the ordinary load fell into each cell of time and latency, empty cells left out.

    Rows of a cell grow by the same factor, from 10 ms to a minute; what is beyond is in the outermost.
    """
    requests = reading.requests
    end_ns = max(reading.plan.end_ns, 1)
    t_edges = np.linspace(0, end_ns, HEAT_COLUMNS + 1)
    took_edges = np.geomspace(SHORTEST_NS, LONGEST_NS, HEAT_ROWS + 1)
    growth = math.log(LONGEST_NS / SHORTEST_NS) / HEAT_ROWS
    counts = np.zeros(HEAT_COLUMNS * HEAT_ROWS, dtype=np.int64)
    for low in range(0, requests.size, _ROWS_AT_ONCE):
        rows = slice(low, low + _ROWS_AT_ONCE)
        response_ns = requests.response_ns[rows]
        among = requests.mix[rows] & requests.answered[rows] & np.isfinite(response_ns)
        at = np.clip(requests.intended_ns[rows][among] * (HEAT_COLUMNS / end_ns), 0, HEAT_COLUMNS - 1).astype(np.int64)
        took = np.maximum(response_ns[among], SHORTEST_NS)
        height = np.clip(np.log(took / SHORTEST_NS) / growth, 0, HEAT_ROWS - 1).astype(np.int64)
        counts += np.bincount(at * HEAT_ROWS + height, minlength=HEAT_COLUMNS * HEAT_ROWS)
    table = counts.reshape(HEAT_COLUMNS, HEAT_ROWS)
    column, row = np.nonzero(table)
    return pa.table(
        {
            "from_s": pa.array(t_edges[column] / NS_PER_S, pa.float64()),
            "to_s": pa.array(t_edges[column + 1] / NS_PER_S, pa.float64()),
            "took_from_s": pa.array(took_edges[row] / NS_PER_S, pa.float64()),
            "took_to_s": pa.array(took_edges[row + 1] / NS_PER_S, pa.float64()),
            "answers": pa.array(table[column, row].astype(np.int64), pa.int64()),
        }
    )


def gaps_of(reading: Reading) -> pa.Table:
    """Return each permille of the gaps between one answer's tokens: as users saw them, and as the provider sent them.

    Over the answered streams of the judged phases that have a gap at all; no rows where there are none.
    """
    requests = reading.requests
    among = reading.judged & requests.answered & requests.streamed
    # Each is in order and gone before the next is read: of ten million rows, one beside another is eighty megabytes.
    seen_s = _permille_s(requests.columns.floats_among("gap_p95_ns", among))
    if not seen_s:
        return pa.table({"permille": pa.array([], pa.int64())} | {name: pa.array([], pa.float64()) for name in _GAPS})
    longest_s = _permille_s(requests.columns.floats_among("gap_max_ns", among))
    sent_s = _permille_s(_sent_ns(reading))
    columns = zip(_GAPS, (seen_s, longest_s, sent_s), strict=True)
    return pa.table(
        {"permille": pa.array(_PERMILLE, pa.int64())}
        | {name: pa.array(values or [None] * len(_PERMILLE), pa.float64()) for name, values in columns}
    )


def _permille_s(durations_ns: Floats) -> list[float | None]:
    """Return each permille; nothing where there are none."""
    return values_at_s(durations_ns, _PERMILLE) if durations_ns.size else []


def _sent_ns(reading: Reading) -> Floats:
    """Return the gaps of the streams that the provider sent to their end."""
    parts = [np.empty(0)]
    if reading.calls is None:
        return parts[0]
    for batch in batches(reading.run, "truth/calls.parquet", ["streamed", "ended", "gap_p95_ns"]):
        whole = pc.and_(pc.equal(batch.column("ended"), "completed"), batch.column("streamed"))
        parts.append(batch.column("gap_p95_ns").filter(whole).drop_null().to_numpy().astype(np.float64))
    return np.concatenate(parts)


def breakers_of(reading: Reading) -> pa.Table:
    """Return the spans in which each instance told one state of each circuit; no rows where none tells any.

    A span lasts from the scrape that first told it to the one that told another, or to the last.
    """
    good = sorted((s for s in reading.run.scrapes() if s.problem is None), key=lambda s: s.at_ns)
    spans: list[dict[str, object]] = []
    current: dict[tuple[str, str], dict[str, object]] = {}
    for scrape in good:
        at_s = scrape.at_ns / NS_PER_S
        for endpoint, state in _circuits(scrape):
            key = (scrape.instance, endpoint)
            span = current.get(key)
            if span is not None:
                span["to_s"] = at_s
            if span is None or span["state"] != state:
                span = {"instance": key[0], "endpoint": endpoint, "state": state, "from_s": at_s, "to_s": at_s}
                current[key] = span
                spans.append(span)
    return pa.Table.from_pylist(spans, schema=BREAKERS_SCHEMA)


BREAKERS_SCHEMA = pa.schema(
    [
        ("instance", pa.string()),
        ("endpoint", pa.string()),
        ("state", pa.string()),
        ("from_s", pa.float64()),
        ("to_s", pa.float64()),
    ]
)


def _circuits(scrape: Scrape) -> list[tuple[str, str]]:
    lines = "\n".join(line for line in scrape.text.splitlines() if line.startswith(CIRCUIT_METRIC))
    return [
        (dict(labels).get("endpoint", ""), _STATES[int(value)])
        for (name, labels), value in series_of(lines)
        if name == CIRCUIT_METRIC and value in (0.0, 1.0, 2.0)  # anything else is another meaning of the name
    ]
