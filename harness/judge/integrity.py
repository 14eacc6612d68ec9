"""Stream integrity, an invariant: an answer that broke off at the provider never reaches a user as a whole one.

Read from both sides: our reader took the answer as whole (its terminator came, its JSON was closed), and the provider
recorded that every call behind it was broken. One such answer fails, also in an invalid run.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.judge.rows import row_of
from harness.judge.wording import count
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Evidence, Judgement, Status, Test
from harness.model.objective import Objective
from harness.model.outcome import Result, Source

BROKEN_BY = ("cut", "missing_done", "error_event", "malformed_json")
"""Faults after which a call holds no whole answer, however its connection ended."""

MOST_EVIDENCE = 5


def judge_integrity(reading: Reading, objective: Objective) -> list[Judgement]:
    """Return the judgement of the invariant, over the ordinary load of the whole run."""
    if reading.calls is None:
        reason = "the provider's records are missing, so nothing says which answers were whole"
        return [row_of(objective, Status.INCONCLUSIVE, reason)]
    broken = _broken_calls(reading)
    answers, seqs = _answers_of(reading, broken)
    test = Test(quantity="broken_answers_passed_on", op="<=", limit=0.0, value=float(len(seqs)), n=answers)
    if seqs:
        reason = (
            f"{count(len(seqs), 'answer')} that broke off at the provider reached the client as whole: the first is request "
            f"{seqs[0]}; {count(len(broken), 'call')} broke off in all"
        )
        evidence = tuple(Evidence(kind="request", ref=str(seq)) for seq in seqs[:MOST_EVIDENCE])
        return [row_of(objective, Status.FAIL, reason, test=test, evidence=evidence)]
    if len(broken) == 0:
        reason = f"none of the calls behind {count(answers, 'answer')} broke off, so nothing was put to the test"
        return [row_of(objective, Status.INCONCLUSIVE, reason, test=test)]
    reason = f"{count(len(broken), 'call')} broke off at the provider, and none was passed on as a whole answer"
    return [row_of(objective, Status.PASS, reason, test=test)]


def _broken_calls(reading: Reading) -> pa.Array:
    found = [pa.array([], pa.string())]
    for batch in batches(reading.run, "truth/calls.parquet", ["call_id", "ended", "fault"]):
        by_fault = pc.fill_null(pc.is_in(batch.column(2).cast(pa.string()), value_set=pa.array(BROKEN_BY)), False)
        broke = pc.or_(pc.equal(batch.column(1).cast(pa.string()), "cut"), by_fault)
        found.append(batch.column(0).filter(broke))
    return pa.concat_arrays(found)


def _answers_of(reading: Reading, broken: pa.Array) -> tuple[int, list[int]]:
    """Return how many answers of a model could be joined, and those of them that have none but broken calls behind them."""
    names = [part.name for part in reading.plan.load.mix]
    answers, seqs = 0, list[int]()
    for batch in batches(reading.run, "samples/samples.parquet", ["seq", "user_class", "result", "source", "call_ids"]):
        text = {name: batch.column(name).cast(pa.string()) for name in ("user_class", "result", "source")}
        of_model = pc.is_in(text["source"], value_set=pa.array([Source.PRIMARY.value, Source.SECONDARY.value]))
        answered = pc.and_(pc.equal(text["result"], Result.ANSWERED.value), pc.fill_null(of_model, False))
        of_mix = pc.is_in(text["user_class"], value_set=pa.array(names))
        mine = answered if reading.plan.load.locustfile is not None else pc.and_(answered, of_mix)
        joined = batch.filter(mine)
        calls = joined.column("call_ids")
        length = np.asarray(pc.fill_null(pc.list_value_length(calls), 0).to_numpy(zero_copy_only=False), dtype=np.int64)
        parents = np.asarray(pc.list_parent_indices(calls).to_numpy(zero_copy_only=False), dtype=np.int64)
        is_broken = np.asarray(pc.is_in(pc.list_flatten(calls), value_set=broken).to_numpy(zero_copy_only=False), dtype=bool)
        bad = np.bincount(parents[is_broken], minlength=length.size)
        answers += int(np.count_nonzero(length))
        seqs += joined.column("seq").take(pa.array(np.flatnonzero((length > 0) & (bad == length)))).to_pylist()
    return answers, sorted(seqs)
