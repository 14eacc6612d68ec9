"""How many calls came while a provider had asked for quiet? Counted from its own records."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.checks.evidence import judgement
from harness.checks.retry_after.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.columns import batches
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck

HEARD_NS = 1_000_000_000
"""From the first refusal until every instance under load has heard of it, and what was under way has arrived."""
SLACK_NS = 250_000_000
_TOO_MANY = 429


def judge_retry_after(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the provider was left alone for as long as it asked. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    endpoint, instances = str(values["endpoint"]), int(values["instances"])
    if reading.calls is None:
        return judgement(check, Status.INCONCLUSIVE, "the provider's records are missing, so nothing says when it was asked")
    quiet_ns = _asked_for(reading, check.phase, endpoint)
    if quiet_ns is None or quiet_ns <= HEARD_NS + SLACK_NS:
        reason = f"in phase {check.phase} the {endpoint} model never asks to be left alone for longer than a second"
        return judgement(check, Status.INCONCLUSIVE, f"retry after: {reason}")
    received_ns, refused = _calls(reading, check.phase, endpoint)
    windows = _windows(received_ns[refused], quiet_ns, until_ns=reading.plan.phase(check.phase).end_ns)
    early = sum(int(np.count_nonzero((received_ns > since) & (received_ns < until))) for since, until in windows)
    allowed = instances * len(windows)
    test = Test(quantity="calls_in_the_quiet", op="<=", limit=float(allowed), value=float(early), n=int(received_ns.size))
    if not windows:
        reason = f"no {_TOO_MANY} of the {endpoint} model was followed by {quiet_ns / 1e9:g} s of phase {check.phase}"
        return judgement(check, Status.INCONCLUSIVE, f"retry after: {reason}", test=test)
    told = f"{early} calls reached the {endpoint} model while it had asked for quiet, {len(windows)} times {quiet_ns / 1e9:g} s"
    if early > allowed:
        return judgement(check, Status.FAIL, f"retry after: {told} (allowed: {allowed})", test=test)
    return judgement(check, Status.PASS, f"retry after: {told} (allowed: {allowed})", test=test)


def _asked_for(reading: Reading, phase: str, endpoint: str) -> int | None:
    """Return for how long the provider asks to be left alone, by the faults of the phase, in nanoseconds."""
    for fault in reading.plan.faults:
        told = str(fault.parameters.get("retry_after", ""))
        if fault.phase == phase and fault.at == f"provider.{endpoint}" and told.isdigit():
            return int(told) * 1_000_000_000
    return None


def _calls(reading: Reading, phase_name: str, endpoint: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return when each call of the phase came, in order, and which of them were refused with a 429."""
    phase = reading.plan.phase(phase_name)
    found: list[tuple[int, bool]] = []
    for batch in batches(reading.run, "truth/calls.parquet", ["endpoint", "received_ns", "status_code"]):
        names = batch.column(0).cast(pa.string()).to_pylist()
        for name, at_ns, status in zip(names, batch.column(1).to_pylist(), batch.column(2).to_pylist(), strict=True):
            if name == endpoint and phase.start_ns <= at_ns < phase.end_ns:
                found.append((at_ns, status == _TOO_MANY))
    found.sort()
    return np.array([at for at, _ in found], dtype=np.int64), np.array([refused for _, refused in found], dtype=np.bool_)


def _windows(refused_ns: npt.NDArray[np.int64], quiet_ns: int, *, until_ns: int) -> list[tuple[int, int]]:
    """Return the stretches in which nobody had to come: after each first refusal, and none that the phase cuts short."""
    windows: list[tuple[int, int]] = []
    for at_ns in refused_ns.tolist():
        if windows and at_ns < windows[-1][1]:
            continue
        if at_ns + quiet_ns > until_ns:
            break
        windows.append((at_ns + HEARD_NS, at_ns + quiet_ns - SLACK_NS))
    return windows
