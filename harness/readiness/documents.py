"""The files that people write for a release, as their YAML spells them: checklist, attestations, waivers."""

import datetime
import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_REFERENCE = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")


def _date(value: object) -> object:
    if isinstance(value, str):
        try:
            same = datetime.date.fromisoformat(value).isoformat() == value  # 3.11 also reads forms that do not sort as text
        except ValueError:
            same = False
        if not same:
            raise ValueError(f"{value!r} is not a date; write it as 2026-12-31")
    return value


def _reference(value: object) -> object:
    if isinstance(value, str) and not _REFERENCE.fullmatch(value):
        raise ValueError(f"{value!r} names no result; write SCENARIO/OBJECTIVE, e.g. provider-outage/latency-p95")
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Date = Annotated[str, BeforeValidator(_date)]
Reference = Annotated[str, BeforeValidator(_reference)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ExemptionEntry(_Strict):
    """`applies: {no: reason, owner, expires}`."""

    no: Text
    owner: Text
    expires: Date


class RowEntry(_Strict):
    """One row of a checklist."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    title: Text
    area: str = ""
    required: bool = True
    proven_by: list[Reference] = []
    gaps: list[Text] = []
    applies: ExemptionEntry | None = None


class ChecklistDocument(_Strict):
    """A checklist file."""

    title: Text = "Checklist"
    signers: list[Text] = []
    rows: Annotated[list[RowEntry], Field(min_length=1, max_length=2000)]


class AttestationEntry(_Strict):
    """One attestation."""

    row: Text
    owner: Text
    date: Date
    expires: Date
    link: Text
    statement: str = ""


class AttestationsDocument(_Strict):
    """An attestations file."""

    attestations: list[AttestationEntry]


class WaiverEntry(_Strict):
    """One waiver."""

    row: Text
    owner: Text
    date: Date
    expires: Date
    reason: Text
    link: str = ""
    accepts_failure: bool = False


class SupersessionEntry(_Strict):
    """One run that no longer counts."""

    run: Text
    owner: Text
    date: Date
    reason: Text


class WaiversDocument(_Strict):
    """A waivers file: rows set aside, and runs superseded by name."""

    waivers: list[WaiverEntry] = []
    supersedes: list[SupersessionEntry] = []
