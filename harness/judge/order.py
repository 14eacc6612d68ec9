"""Order, an invariant: what was said arrives as it was said, and one turn of a conversation after the other.

Of every answer the reader and the provider each keep a digest of the text, and of its letters whatever their order. Where
the letters are the same and the texts are not, pieces have changed places on the way. Where the letters differ too, the
target has changed the text itself (masked, cut, added to it), which is no question of order: such answers are counted, and
said nothing of. Of a conversation no call of an earlier turn may reach the provider after one of a later turn.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from harness.judge.integrity import BROKEN_BY
from harness.judge.rows import row_of
from harness.judge.wording import count
from harness.measure.columns import batches, has_column
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Objective
from harness.model.outcome import Result
from harness.model.text_digest import LETTERS_MASK

MOST_EVIDENCE = 5
_CALLS, _SAMPLES = "truth/calls.parquet", "samples/samples.parquet"

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """Answers held against what the provider said. kept, changed: how many; moved: the numbers of those out of order."""

    kept: int
    changed: int
    moved: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turns:
    """Pairs of turns that follow each other: how many, and the numbers of the earlier ones that were overtaken."""

    pairs: int
    overtaken: list[int]


def judge_order(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of the invariant, over the ordinary load of the whole run. Raises RunDirectoryError."""
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says in which order anything was sent"
        return [row_of(objective, Status.INCONCLUSIVE, reason)]
    texts, turns = _texts(reading), _turns(reading)
    wrong = sorted({*texts.moved, *turns.overtaken})
    compared = texts.kept + len(texts.moved) + turns.pairs
    test = Test(quantity="out_of_order", op="<=", limit=0.0, value=float(len(wrong)), n=compared, bad=len(wrong))
    rest = ""
    if texts.changed:
        rest = f"; {count(texts.changed, 'answer')} says something else than the provider did, which is no question of order"
    if wrong:
        parts = [f"{count(len(texts.moved), 'answer')} came in another order than the provider said it"] if texts.moved else []
        if turns.overtaken:
            parts.append(f"{count(len(turns.overtaken), 'turn')} of a conversation reached the provider after a later one")
        evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in wrong[:MOST_EVIDENCE])
        return [
            row_of(
                objective,
                Status.FAIL,
                f"{' and '.join(parts)}: the first is request {wrong[0]}{rest}",
                test=test,
                evidence=evidence,
            )
        ]
    if not compared or texts.changed > texts.kept:
        reason = f"only {count(compared, 'answer or turn')} can be held against what was sent{rest}"
        return [row_of(objective, Status.INCONCLUSIVE, reason, test=test)]
    told = f"{count(texts.kept, 'answer')} and {count(turns.pairs, 'turn')} of conversations came in the order they were sent in"
    return [row_of(objective, Status.PASS, told + rest, test=test)]


def _texts(reading: Reading) -> _Texts:
    said = _said(reading)
    kept, changed, moved = 0, 0, list[int]()
    if said is None or not has_column(reading.run, _SAMPLES, "text_digest"):
        return _Texts(kept=kept, changed=changed, moved=moved)
    known, digests = said
    for batch in batches(reading.run, _SAMPLES, ["seq", "user_class", "result", "call_ids", "text_digest"]):
        mine = batch.filter(pc.and_(_of_load(reading, batch), pc.is_valid(batch.column("text_digest"))))
        lists, read = mine.column("call_ids"), _integers(mine.column("text_digest"))
        at = _positions(pc.index_in(pc.list_flatten(lists), value_set=known))
        owner = _integers(pc.list_parent_indices(lists))
        owner, sent = owner[at >= 0], digests[at[at >= 0]]
        same, alike, held = (np.zeros(read.size, dtype=np.bool_) for _ in range(3))
        held[owner] = True
        same[owner[sent == read[owner]]] = True
        alike[owner[(sent & LETTERS_MASK) == (read[owner] & LETTERS_MASK)]] = True
        kept += int(np.count_nonzero(same))
        changed += int(np.count_nonzero(held & ~alike))
        moved += _integers(mine.column("seq"))[held & alike & ~same].tolist()
    return _Texts(kept=kept, changed=changed, moved=moved)


def _said(reading: Reading) -> tuple[pa.Array, Integers] | None:
    """Return the whole calls and the digest of what each said; None where the records hold no texts."""
    if not has_column(reading.run, _CALLS, "text_digest"):
        return None
    ids, digests = [pa.array([], pa.string())], [np.empty(0, dtype=np.int64)]
    for batch in batches(reading.run, _CALLS, ["call_id", "fault", "text_digest"]):
        broke = pc.fill_null(pc.match_substring_regex(batch.column("fault").cast(pa.string()), "|".join(BROKEN_BY)), False)
        whole = batch.filter(pc.and_(pc.is_valid(batch.column("text_digest")), pc.invert(broke)))
        ids.append(whole.column("call_id"))
        digests.append(_integers(whole.column("text_digest")))
    return pa.concat_arrays(ids), np.concatenate(digests)


def _turns(reading: Reading) -> _Turns:
    if not any(part.follow_ups for part in reading.plan.load.mix):
        return _Turns(pairs=0, overtaken=[])
    columns = ["seq", "user_class", "result", "conversation", "turn", "call_ids"]
    parts = [batch.filter(pc.is_valid(batch.column("conversation"))) for batch in batches(reading.run, _SAMPLES, columns)]
    if not any(part.num_rows for part in parts):  # no part at all, where nothing was sent
        return _Turns(pairs=0, overtaken=[])
    rows = pa.Table.from_batches(parts)
    lists = rows["call_ids"].combine_chunks()
    known, received = _received(reading, pc.list_flatten(lists))
    at = _positions(pc.index_in(pc.list_flatten(lists), value_set=known))
    owner = _integers(pc.list_parent_indices(lists))[at >= 0]
    moments = received[at[at >= 0]]
    first, last = np.full(rows.num_rows, np.inf), np.full(rows.num_rows, -np.inf)
    np.minimum.at(first, owner, moments)
    np.maximum.at(last, owner, moments)
    talks = _integers(rows["conversation"].combine_chunks().dictionary_encode().indices)
    order = np.lexsort((_integers(rows["turn"].combine_chunks()), talks))
    earlier, later = order[:-1], order[1:]
    follows = (talks[earlier] == talks[later]) & np.isfinite(last[earlier]) & np.isfinite(first[later])
    overtaken = earlier[follows & (last[earlier] > first[later])]
    return _Turns(pairs=int(np.count_nonzero(follows)), overtaken=_integers(rows["seq"].combine_chunks())[overtaken].tolist())


def _received(reading: Reading, wanted: pa.Array) -> tuple[pa.Array, Integers]:
    ids, moments = [pa.array([], pa.string())], [np.empty(0, dtype=np.int64)]
    for batch in batches(reading.run, _CALLS, ["call_id", "received_ns"]):
        mine = batch.filter(pc.is_in(batch.column("call_id"), value_set=wanted))
        ids.append(mine.column("call_id"))
        moments.append(_integers(mine.column("received_ns")))
    return pa.concat_arrays(ids), np.concatenate(moments)


def _of_load(reading: Reading, batch: pa.RecordBatch) -> pa.Array:
    answered = pc.equal(batch.column("result").cast(pa.string()), Result.ANSWERED.value)
    if reading.plan.load.locustfile is not None:
        return answered
    names = [part.name for part in reading.plan.load.mix]
    return pc.and_(answered, pc.is_in(batch.column("user_class").cast(pa.string()), value_set=pa.array(names)))


def _integers(column: pa.Array) -> Integers:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


def _positions(indices: pa.Array) -> Integers:
    return _integers(pc.fill_null(indices, -1))
