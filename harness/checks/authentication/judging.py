"""Was everybody kept out who has no right to be in? And was the user with a right key answered?"""

from harness.checks.evidence import Expectation, judge_table
from harness.measure.reading import Reading
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck
from harness.model.probe import ProbeRecord


def _let_in(record: ProbeRecord) -> bool:
    return record.status_code is not None and 200 <= record.status_code < 300


def _kept_out(record: ProbeRecord) -> bool:
    return record.status_code == 401


def _forbidden(record: ProbeRecord) -> bool:
    return record.status_code in (401, 403)


def _not_shown(record: ProbeRecord) -> bool:
    return record.status_code in (401, 403, 404)


EXPECTATIONS = (
    Expectation(name="no-key", says="a request without a key is refused", holds=_kept_out),
    Expectation(name="wrong-key", says="a wrong key is refused", holds=_kept_out),
    Expectation(name="altered-key", says="a key whose last characters differ is refused", holds=_kept_out),
    Expectation(name="after-revoking", says="a revoked key is refused by every instance within 2 s", holds=_kept_out),
    Expectation(name="others-message", says="another tenant's message is not shown", holds=_not_shown),
    Expectation(name="no-key-message", says="a message is not shown without a key", holds=_kept_out),
    Expectation(name="audit-as-user", says="an ordinary user may not read the audit log", holds=_forbidden),
    Expectation(name="knowledge-as-user", says="an ordinary user may not change the knowledge base", holds=_forbidden),
    Expectation(name="own-key", says="the right key is let in", holds=_let_in),
    Expectation(name="message", says="the right key may send a message", holds=_let_in),
    Expectation(name="own-message", says="one's own message is shown", holds=_let_in),
    Expectation(name="before-revoking", says="a key works until it is revoked", holds=_let_in),
)


def judge_authentication(reading: Reading, check: PlannedCheck) -> Judgement:
    """Return whether the doors hold. Raises RunDirectoryError."""
    return judge_table(reading, check, EXPECTATIONS, rests_on=("revoke",), what="authentication")
