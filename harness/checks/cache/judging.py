"""Whose answers were given to whom, and how often were they fetched? By the cache header and the provider's records."""

from harness.checks.cache.planning import BEFORE, CROWD, LIMIT, QUESTIONS
from harness.checks.evidence import answered, calls_of, evidence_of, judgement, records_of, undone
from harness.checks.expectations import is_good
from harness.measure.reading import Reading
from harness.model.judgement import Judgement, Status, Test
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord

HEADER = "x-gateway-cache"


def judge_cache(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the cache is right. Raises RunDirectoryError."""
    records = records_of(reading, check)

    def good(name: str) -> list[ProbeRecord]:
        return [record for record in records.get(name, []) if is_good(record)]

    problems: list[tuple[str, ProbeRecord]] = []
    unseen: list[str] = []
    missed: dict[str, ProbeRecord] = {}
    for name in QUESTIONS:
        warmed, again, foreign, changed = (good(f"{name}-{part}") for part in ("asked", "again", "foreign", "changed"))
        if not warmed or not again or not foreign or not changed:
            unseen.append(f"the {name} question was not answered each time")
            continue
        if not any(_is_hit(record) for record in again):
            missed[name] = again[0]
        problems += [
            (f"another tenant was given the answer to the {name} question from the cache", r) for r in foreign if _is_hit(r)
        ]
        problems += [
            (f"instance {r.instance} gave an old answer to the {name} question after the knowledge base had changed", r)
            for r in changed
            if _is_hit(r)
        ]
    # A cache may lose an answer: one whose store had no time for it is no broken cache.
    kept_nothing = len(missed) == len(QUESTIONS)
    problems += [(f"the {name} question, asked again, came from no cache", r) for name, r in missed.items() if kept_nothing]
    unseen += [f"the {name} question was kept nowhere, and another was" for name in missed if not kept_nothing]
    other = good("other-model")
    if not other:
        unseen.append("the question to another model was not answered")
    problems += [("the answer of one model was given for another's", r) for r in other if _is_hit(r)]
    crowd = [record for n in range(CROWD) for record in good(f"crowd-{n}")]
    calls = sum(calls_of(reading, [record.request_id for record in crowd]).values())
    if len(crowd) < CROWD:
        unseen.append(f"{CROWD - len(crowd)} of {CROWD} users who asked the same were not answered")
    elif calls > 1:
        problems.append(
            (f"{CROWD} users who asked the same at one moment caused {calls} calls at the provider, not one", crowd[0])
        )
    counted = [r for name in ("counted-before", "counted-after") for r in answered(records.get(name, []))]
    through = [record for record in counted if is_good(record)]
    if len(counted) < 2 * BEFORE or any(r.status_code not in (200, 429) for r in counted):
        unseen.append("the counted user's requests were not all answered or refused for their rate")
    elif len(through) > LIMIT:
        what = f"{len(through)} requests of one user were let through around the change and not {LIMIT}: its counters were wiped"
        problems.append((what, through[-1]))
    seen = sum(len(answered(each)) for each in records.values())
    test = Test(quantity="cache_faults", op="<=", limit=0.0, value=float(len(problems)), n=seen, bad=len(problems))
    if problems:
        text, record = problems[0]
        rest = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return judgement(check, Status.FAIL, f"cache: {text}{rest}", test=test, evidence=(evidence_of(record),))
    why = undone(reading, check, "change") or next(iter(unseen), None)
    if why is None and (reading.calls is None or calls == 0):
        why = "no call of the crowd stands in the provider's records, so nothing says how often they were sent on"
    if why is not None:
        return judgement(check, Status.INCONCLUSIVE, f"cache: {why}", test=test)
    reason = (
        f"cache: hits stayed with their tenant and model and were misses on both instances after the change; {CROWD} users who "
        f"asked the same caused one call; rate counters stayed at {LIMIT}"
    )
    return judgement(check, Status.PASS, reason, test=test)


def _is_hit(record: ProbeRecord) -> bool:
    return record.headers.get(HEADER, "").startswith("hit")
