"""Which single requests the page lists: those that are evidence, then bad ones, then some good ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from harness.model.judgement import Verdict
from harness.rundir.exchanges import kept_exchanges

MOST_ROWS = 300
_FEWEST_GOOD = 40
_WIDTH = 160.0
MOST_TEXT = 1_200
"""Characters of a request, and of an answer, that the page shows: three hundred of both are well below a megabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request, its columns by name, and where its time went as a bar.

    asked, answered: what was sent and what came, keys masked, line by line; empty where it was not kept.
    """

    cells: Mapping[str, object]
    spent: Markup
    asked: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()

    @property
    def seq(self) -> int:
        """The request's number; the row's anchor is `request-SEQ`."""
        return int(str(self.cells["seq"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillDown:
    """Rows by seq. bad, of: how many bad requests, and requests at all, the measurements list; bad_shown: of the rows."""

    rows: tuple[Row, ...]
    bad: int
    of: int

    @property
    def bad_shown(self) -> int:
        """How many of the rows are bad requests."""
        return sum(1 for row in self.rows if row.cells["bad"])

    @property
    def seqs(self) -> frozenset[int]:
        """What can be linked to."""
        return frozenset(row.seq for row in self.rows)


def choose_rows(
    requests: pa.Table, verdict: Verdict | None, *, most: int = MOST_ROWS, kept_in: Path | None = None, most_text: int = MOST_TEXT
) -> DrillDown:
    """Return at most `most` requests. kept_in: the run directory that may hold what they asked and were answered.

    Raises RunDirectoryError where that cannot be read.
    """
    bad_mask = pc.fill_null(requests["bad"], False)
    evidence = pa.array(sorted(_evidence(verdict)), type=pa.int64())
    is_evidence = pc.is_in(requests["seq"], value_set=evidence)
    named = requests.filter(is_evidence).slice(0, most)
    good = min(_FEWEST_GOOD, most // 4)
    others = requests.filter(pc.invert(is_evidence))
    bad = requests.filter(bad_mask).num_rows
    other_bad = _spread(others.filter(pc.fill_null(others["bad"], False)), most - good - named.num_rows)
    other_good = _spread(others.filter(pc.invert(pc.fill_null(others["bad"], False))), good)
    chosen = pa.concat_tables([named, other_bad, other_good]).slice(0, most).sort_by("seq")
    rows = chosen.to_pylist()
    longest_s = max((row["response_s"] for row in rows if row["response_s"] is not None), default=0.0)
    kept = kept_exchanges(kept_in, {row["seq"] for row in rows}) if kept_in is not None else {}
    made = []
    for row in rows:
        exchange = kept.get(row["seq"])
        asked, answered = (
            ((), ()) if exchange is None else (_lines(exchange.request, most_text), _lines(exchange.response, most_text))
        )
        made.append(Row(cells=row, spent=_bar(row, longest_s), asked=asked, answered=answered))
    return DrillDown(rows=tuple(made), bad=bad, of=requests.num_rows)


def _lines(text: str, most: int) -> tuple[str, ...]:
    left_out = len(text) - most
    lines = text[:most].replace("\r\n", "\n").strip("\n").split("\n")
    return (*lines, f"({left_out:,} more characters)") if left_out > 0 else tuple(lines)


def _evidence(verdict: Verdict | None) -> Iterable[int]:
    for judgement in verdict.results if verdict else ():
        for evidence in judgement.evidence:
            if evidence.kind == "request" and evidence.ref.isascii() and evidence.ref.isdigit() and len(evidence.ref) < 19:
                yield int(evidence.ref)


def _spread(table: pa.Table, most: int) -> pa.Table:
    """Return at most `most` rows, spread evenly over the table."""
    if most <= 0 or table.num_rows <= most:
        return table.slice(0, max(most, 0))
    return table.take(pa.array([index * table.num_rows // most for index in range(most)]))


def _bar(row: Mapping[str, float | None], longest_s: float) -> Markup:
    """Return a bar of waiting to be sent, waiting for the first token, and the rest of the answer."""
    total_s = row["response_s"]
    if total_s is None or longest_s <= 0:
        return Markup("")
    sent_s = min(max((row["lag_ms"] or 0.0) / 1000, 0.0), total_s)
    first_s = row["ttft_s"] if row["ttft_s"] is not None else total_s
    cuts = (0.0, sent_s, min(max(first_s, sent_s), total_s), total_s)
    parts = []
    for css_class, start_s, end_s in zip(("lag", "wait", "rest"), cuts, cuts[1:], strict=False):
        left, width = start_s / longest_s * _WIDTH, (end_s - start_s) / longest_s * _WIDTH
        if width >= 0.05:
            parts.append(f'<rect class="{css_class}" x="{left:.1f}" y="1" width="{width:.1f}" height="10"/>')
    return Markup(f'<svg class="spent" viewBox="0 0 {_WIDTH:g} 12" aria-hidden="true">{"".join(parts)}</svg>')  # noqa: S704 - numbers only
