"""Reads checklists, attestations and waivers; every problem is told with its place in the file."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from harness.documents.located import Located, read_located
from harness.documents.problems import describe
from harness.errors import ConfigurationError, did_you_mean
from harness.model.readiness import Attestation, Checklist, ChecklistRow, Exemption, Supersession, Waiver
from harness.readiness.documents import AttestationsDocument, ChecklistDocument, RowEntry, WaiversDocument

D = TypeVar("D", bound=BaseModel)


def default_checklist_path() -> Path:
    """Return the checklist that comes with the harness: the 40 rows."""
    here = Path(__file__).resolve().parent.parent
    for path in (here / "checklists" / "default.yaml", here.parent / "checklists" / "default.yaml"):  # installed, a checkout
        if path.is_file():
            return path
    raise ConfigurationError("the default checklist is not part of this installation", advice="name one with --checklist FILE")


def read_checklist(path: Path | None = None) -> Checklist:
    """Return a checklist, the default one where no path is given. Raises ConfigurationError."""
    file = path or default_checklist_path()
    document, located, digest = _read(file, ChecklistDocument)
    problems = [
        f"{located.at(('rows', number, 'id'))}: the row {row.id!r} stands twice"
        for number, row in enumerate(document.rows)
        if row.id in {earlier.id for earlier in document.rows[:number]}
    ]
    if problems:
        raise ConfigurationError(*problems)
    rows = tuple(
        ChecklistRow(
            id=row.id,
            title=row.title,
            area=row.area,
            required=row.required,
            proven_by=tuple(row.proven_by),
            gaps=tuple(row.gaps),
            applies=_exemption(row),
            line=located.positions.get(("rows", number), (1, 1))[0],
        )
        for number, row in enumerate(document.rows)
    )
    name = "default" if path is None else path.name
    return Checklist(title=document.title, rows=rows, path=name, digest=digest, signers=tuple(document.signers))


def read_attestations(path: Path, checklist: Checklist) -> tuple[tuple[Attestation, ...], str]:
    """Return the attestations in a file and the file's sha256. Raises ConfigurationError, also for a row nobody asks for."""
    document, located, digest = _read(path, AttestationsDocument)
    _known(((("attestations", n, "row"), entry.row) for n, entry in enumerate(document.attestations)), located, checklist)
    _in_order([(("attestations", n), e.date, e.expires) for n, e in enumerate(document.attestations)], located)
    return tuple(Attestation(**entry.model_dump()) for entry in document.attestations), digest


def read_waivers(path: Path, checklist: Checklist) -> tuple[tuple[Waiver, ...], tuple[Supersession, ...], str]:
    """Return waivers, superseded runs and the file's sha256. Raises ConfigurationError, also for a row nobody asks for."""
    document, located, digest = _read(path, WaiversDocument)
    _known(((("waivers", n, "row"), entry.row) for n, entry in enumerate(document.waivers)), located, checklist)
    _in_order([(("waivers", n), e.date, e.expires) for n, e in enumerate(document.waivers)], located)
    waivers = tuple(Waiver(**entry.model_dump()) for entry in document.waivers)
    return waivers, tuple(Supersession(**entry.model_dump()) for entry in document.supersedes), digest


def read_if_release_file(path: Path, checklist: Path | None = None) -> bool:
    """Read a file that is a checklist, attestations or waivers by its keys, and return True; False for any other.

    checklist: whose rows the others name, our own where none is given. Raises ConfigurationError for what is wrong in it.
    """
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        return False
    data = read_located(path)[0].data
    keys = set(data) if isinstance(data, dict) else set()
    if "rows" in keys:
        read_checklist(path)
    elif "attestations" in keys:
        read_attestations(path, read_checklist(checklist))
    elif keys & {"waivers", "supersedes"}:
        read_waivers(path, read_checklist(checklist))
    else:
        return False
    return True


def _read(path: Path, model: type[D]) -> tuple[D, Located, str]:
    located, data = read_located(path)
    try:
        document = model.model_validate(located.data)
    except ValidationError as error:
        raise ConfigurationError(*describe(error, located, model)) from error
    return document, located, hashlib.sha256(data).hexdigest()


def _exemption(row: RowEntry) -> Exemption | None:
    entry = row.applies
    return None if entry is None else Exemption(reason=entry.no, owner=entry.owner, expires=entry.expires)


def _known(rows: Iterable[tuple[tuple[str | int, ...], str]], located: Located, checklist: Checklist) -> None:
    known = [row.id for row in checklist.rows]
    problems = [
        f"{located.at(path)}: the checklist has no row {row!r}{did_you_mean(row, known)}"
        for path, row in rows
        if row not in known
    ]
    if problems:
        raise ConfigurationError(*problems)


def _in_order(spans: Sequence[tuple[tuple[str | int, ...], str, str]], located: Located) -> None:
    problems = [
        f"{located.at((*path, 'expires'))}: it expires on {expires}, before its own date {date}"
        for path, date, expires in spans
        if expires < date
    ]
    if problems:
        raise ConfigurationError(*problems)
