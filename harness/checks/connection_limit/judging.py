"""How many connections did the database count of each instance, when the rush was over?"""

import numpy as np

from harness.checks.connection_limit.planning import COUNT, PLANNER
from harness.checks.evidence import action_of, judgement
from harness.checks.settings import complete
from harness.measure.reading import Reading
from harness.model.journal import Event
from harness.model.judgement import Judgement, Status, Test
from harness.model.outcome import Result
from harness.model.plan import PlannedCheck

_PREFIX = "instance_"


def judge_connection_limit(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether every instance kept to its connections. Raises RunDirectoryError."""
    values = complete(PLANNER.settings, check.settings)
    at_most, burst = int(values["at_most"]), int(values["burst"])
    most: dict[str, int] = {}
    failed: str | None = None
    for entry in (action_of(reading, check, f"{COUNT}-{n}") for n in range(3)):
        if entry is None or entry.event is Event.ACTION_FAILED:
            failed = "was never done" if entry is None else f"could not be done: {entry.data.get('reason')}"
            continue
        for name, count in entry.data.items():
            if name.startswith(_PREFIX) and isinstance(count, int):
                most[name.removeprefix(_PREFIX)] = max(most.get(name.removeprefix(_PREFIX), 0), count)
    requests = reading.requests
    sent = requests.user_class.is_in([f"check:{check.id}"])
    served = int(np.count_nonzero(sent & requests.result.is_in([Result.ANSWERED])))
    worst = max(most.values(), default=0)
    test = Test(quantity="connections", op="<=", limit=float(at_most), value=float(worst) if most else None, n=served)
    told = ", ".join(f"{name} {count}" for name, count in sorted(most.items()))
    if worst > at_most:
        return judgement(check, Status.FAIL, f"connection limit: the database counted {told}; {at_most} are allowed", test=test)
    if not most:
        why = failed or "told of no instance"
        return judgement(check, Status.INCONCLUSIVE, f"connection limit: the count of connections {why}", test=test)
    if 2 * served < burst:
        reason = f"connection limit: {served} of {burst} requests of the rush were answered, too few to need connections"
        return judgement(check, Status.INCONCLUSIVE, reason, test=test)
    reason = f"connection limit: {burst} requests came at once, and the database counted {told}; {at_most} are allowed"
    return judgement(check, Status.PASS, reason, test=test)
