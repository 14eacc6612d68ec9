"""Do the service's counters lie between what its clients can and must have caused?

A counter is read while requests are under way, so nobody knows of which instant it is. But whatever began after the
first reading had ended and ended before the last began must have been counted, and nothing else than what ended after
the first began and began before the last ended can have been: two bounds that need no tolerance but for the moment between
the last byte at the client and the count at the service.
"""

from dataclasses import dataclass

import numpy as np

from harness.checks.evidence import evidence_of, judgement, records_of
from harness.checks.expectations import is_good
from harness.checks.exposition import samples_in
from harness.checks.server_counts.planning import PLANNER
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.measure.requests import Mask
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

LEAST = 30
COUNTED_LATE_NS = 500_000_000
"""How long after a client had its last byte the service may count the request: it does so when it is done with it."""
MEAN_WITHIN = 3.0
"""How far the means of both sides may be apart: the clients' includes the way there and back and waiting in the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """What all instances together counted between both readings, by status; and how long it took, in seconds."""

    by_status: dict[str, float]
    seconds: float

    @property
    def total(self) -> float:
        return sum(self.by_status.values())


def judge_server_counts(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether both sides agree. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    records = records_of(reading, check)
    first, last = ({r.instance: r for r in records.get(name, []) if is_good(r)} for name in ("first", "last"))
    if not first or first.keys() != last.keys() or len(first) < len({r.instance for r in records.get("first", [])}):
        return judgement(check, Status.INCONCLUSIVE, "the metrics of an instance could not be read, so nothing can be compared")
    counted = _difference([*first.values()], [*last.values()], str(values["metric"]), str(values["route"]))
    began = min(r.started_ns or 0 for r in first.values()), max(r.ended_ns or 0 for r in first.values())
    ended = min(r.started_ns or 0 for r in last.values()), max(r.ended_ns or 0 for r in last.values())
    requests = reading.requests
    started, over = requests.started_ns, np.where(np.isnan(requests.ended_ns), np.inf, requests.ended_ns)
    must = (started >= began[1]) & (over <= ended[0] - COUNTED_LATE_NS) & ~np.isnan(requests.status_code)
    can = ~np.isnan(started) & (over >= began[0] - COUNTED_LATE_NS) & (started <= ended[1])
    strangers = _probes_between(reading, began[0] - COUNTED_LATE_NS, ended[1])
    least, most = int(np.count_nonzero(must)), int(np.count_nonzero(can)) + strangers
    shown = Shown(quantity="requests counted by the service", unit="count", value=counted.total)
    test = Test(
        quantity="counted", op="<=", limit=float(most), value=counted.total, lower=float(least), upper=float(most), n=least
    )
    told = f"the service counted {counted.total:.0f} requests, its clients saw between {least} and {most} end in that time"
    evidence = tuple(evidence_of(record) for record in last.values())
    if least < LEAST:
        reason = f"only {least} requests ended between both readings; {LEAST} are needed to compare anything"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    wrong = None if least <= counted.total <= most else told
    wrong = wrong or _wrong_statuses(counted, requests.status_code, must, can, strangers) or _wrong_times(reading, counted, must)
    if wrong is not None:
        return judgement(check, Status.FAIL, f"metrics and clients disagree: {wrong}", test=test, shown=shown, evidence=evidence)
    return judgement(check, Status.PASS, f"{told}, status by status, with the same durations", test=test, shown=shown)


def _difference(first: list[ProbeRecord], last: list[ProbeRecord], metric: str, route: str) -> _Counted:
    by_status: dict[str, float] = {}
    seconds = 0.0
    for records, sign in ((first, -1.0), (last, 1.0)):
        for record in records:
            for sample in samples_in(record.body):
                if sample.labels.get("route") != route or sample.labels.get("method", "POST") != "POST":
                    continue
                if sample.name == f"{metric}_count":
                    status = sample.labels.get("status_code", "")
                    by_status[status] = by_status.get(status, 0.0) + sign * sample.value
                elif sample.name == f"{metric}_sum":
                    seconds += sign * sample.value
    return _Counted(by_status=by_status, seconds=seconds)


def _wrong_statuses(counted: _Counted, status_code: np.ndarray, must: Mask, can: Mask, strangers: int) -> str | None:
    for status in sorted({str(int(code)) for code in np.unique(status_code[must])}):
        least = int(np.count_nonzero(must & (status_code == float(status))))
        most = int(np.count_nonzero(can & (status_code == float(status)))) + strangers
        mine = counted.by_status.get(status, 0.0)
        if not least <= mine <= most:
            return f"of status {status} the service counted {mine:.0f}, its clients saw between {least} and {most}"
    return None


def _wrong_times(reading: Reading, counted: _Counted, must: Mask) -> str | None:
    service_s = (reading.requests.ended_ns - reading.requests.started_ns)[must] / 1e9
    theirs, ours = counted.seconds / counted.total, float(np.nanmean(service_s))
    if not 1 / MEAN_WITHIN <= theirs / max(ours, 1e-9) <= MEAN_WITHIN:
        return f"requests took {theirs:.4g} s on average by the service and {ours:.4g} s by its clients"
    return None


def _probes_between(reading: Reading, from_ns: int, until_ns: int) -> int:
    """Return how many probes of any check may be among what the service counted."""
    return sum(
        1
        for record in reading.run.probes()
        if record.started_ns is not None and (record.ended_ns or until_ns) >= from_ns and record.started_ns <= until_ns
    )
