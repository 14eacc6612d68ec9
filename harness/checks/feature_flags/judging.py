"""Who had the feature, how often, and who still had it once it was killed? By what came with each answer."""

from harness.checks.evidence import MOST_EVIDENCE, begun_ns_of, evidence_of, judgement, records_of, undone
from harness.checks.expectations import is_good
from harness.checks.feature_flags.planning import BOUNDS, PLANNER, USERS
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Shown, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

HEADER = "x-gateway-features"
LEAST = 12
"""So many users must have been answered each time."""


def judge_feature_flags(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the feature was given and taken as it was said. Raises RunDirectoryError."""
    feature = str(complete(PLANNER.settings, check.settings)["feature"])
    records = records_of(reading, check)
    killed_ns = begun_ns_of(reading, check, "kill")
    given = {n: [r for r in records.get(f"on-{n}", []) if is_good(r) and _before(r, killed_ns)] for n in range(USERS)}
    given = {n: mine for n, mine in given.items() if len(mine) >= 2}
    ended = [r for n in range(USERS) for r in records.get(f"off-{n}", []) if is_good(r)]
    wavering = [mine[0] for mine in given.values() if len({_has(record, feature) for record in mine}) > 1]
    have = sum(_has(mine[0], feature) for mine in given.values())
    still = [record for record in ended if _has(record, feature)]
    outside = len(given) == USERS and not BOUNDS[0] <= have <= BOUNDS[1]
    bad = len(wavering) + len(still) + int(outside)
    test = Test(quantity="wrong_users", op="<=", limit=0.0, value=float(bad), n=len(given), bad=bad)
    shown = Shown(quantity="users with the feature", unit="count", value=float(have))
    if (why := undone(reading, check, "give", "kill")) is not None:
        return judgement(check, Status.INCONCLUSIVE, f"feature flags: {why}", test=test, shown=shown)
    wrong: tuple[str, list[ProbeRecord]] | None = None
    if wavering:
        wrong = f"{len(wavering)} of {len(given)} users had {feature!r} with one request and not with another", wavering
    elif still:
        wrong = f"{len(still)} of {len(ended)} answers still had {feature!r} after it was killed", still
    elif outside:
        wrong = f"{have} of {len(given)} users had {feature!r}, which was given to half of them", []
    if wrong is not None:
        evidence = tuple(evidence_of(record) for record in wrong[1][:MOST_EVIDENCE])
        return judgement(check, Status.FAIL, f"feature flags: {wrong[0]}", test=test, shown=shown, evidence=evidence)
    if len(given) < LEAST or len(ended) < LEAST:
        reason = f"feature flags: only {min(len(given), len(ended))} of {USERS} users were answered each time"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test, shown=shown)
    reason = (
        f"feature flags: {have} of {len(given)} users had {feature!r}, each with every request, and nobody once it was killed"
    )
    return judgement(check, Status.PASS, reason, test=test, shown=shown)


def _before(record: ProbeRecord, moment_ns: int | None) -> bool:
    """Return whether an answer came before a moment: on a busy machine a question may wait until the feature is over."""
    return record.ended_ns is not None and (moment_ns is None or record.ended_ns < moment_ns)


def _has(record: ProbeRecord, feature: str) -> bool:
    return feature in record.headers.get(HEADER, "").split(",")
