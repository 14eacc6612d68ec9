"""Waivers: a failed result set aside by a named owner, until a day. What it would have been stays visible."""

import datetime
from dataclasses import replace

from harness.model.judgement import Judgement, Status

WAIVABLE = frozenset({Status.FAIL, Status.WARN, Status.INCONCLUSIVE})
"""A pass needs no waiver, and an invalid run has nothing that anybody could answer for."""


def waived(judgement: Judgement, run_day: datetime.date) -> Judgement:
    """Return a result as its waiver leaves it. run_day: the day of the run (UTC), never of the judging: it reads no clock."""
    waiver = judgement.waiver
    if waiver is None or judgement.status not in WAIVABLE:
        return judgement
    if run_day > datetime.date.fromisoformat(waiver.expires):
        return replace(judgement, reason=f"{judgement.reason} (the waiver of {waiver.owner} ended on {waiver.expires})")
    would_be = f"it would be {judgement.status.value}: {judgement.reason}"
    reason = f"waived until {waiver.expires} by {waiver.owner}: {waiver.reason}; {would_be}"
    return replace(judgement, status=Status.WAIVED, waived_status=judgement.status, reason=reason)
