"""From run directories to a decided and written release: what `harness report` does, for programs too."""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import __version__
from harness.errors import ConfigurationError
from harness.judge import judge
from harness.model.readiness import Attestation, InputDigest, ReleaseRun, Supersession, Waiver
from harness.readiness import (
    Case,
    History,
    RunRules,
    decide,
    find_runs,
    is_run,
    read_attestations,
    read_checklist,
    read_runs,
    read_waivers,
)
from harness.readiness.dsse import read_private_key, seal
from harness.readiness.history import merge, read_history
from harness.readiness.signoff import read_document
from harness.report.material import read_material
from harness.report.release import FILE_NAMES, ReleaseMaterial, render
from harness.rundir import RunDirectory, codec
from harness.rundir.files import sha256_of, write_whole
from harness.scenario.catalogue import catalogue_paths

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequest:
    """What to decide. Files not given are not read; the checklist is then our own of 40 rows.

    release: a name, None for the target's version. history: None looks for `history.jsonl` beside the runs.
    command: the words that made this request, for the document. now: UTC, None for the clock.
    """

    directories: Sequence[Path]
    release: str | None = None
    checklist: Path | None = None
    attestations: Path | None = None
    waivers: Path | None = None
    history: Path | None = None
    previous: Path | None = None
    max_age_days: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    now: datetime.datetime | None = None


def decide_release(request: ReleaseRequest) -> ReleaseMaterial:
    """Return the decided release; reads only. Raises ConfigurationError for files that people can mend."""
    if request.release is not None and not _NAME.fullmatch(request.release):
        raise ConfigurationError(f"--release {request.release!r}: use up to 80 letters, digits, '.', '_', '+' and '-'")
    now = request.now or datetime.datetime.now(datetime.UTC)
    checklist = read_checklist(request.checklist)
    inputs = [InputDigest(kind="checklist", name=checklist.path, sha256=checklist.digest)]
    attestations: tuple[Attestation, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    superseded: tuple[Supersession, ...] = ()
    if request.attestations is not None:
        attestations, digest = read_attestations(request.attestations, checklist)
        inputs.append(InputDigest(kind="attestations", name=request.attestations.name, sha256=digest))
    if request.waivers is not None:
        waivers, superseded, digest = read_waivers(request.waivers, checklist)
        inputs.append(InputDigest(kind="waivers", name=request.waivers.name, sha256=digest))
    paths, problems = find_runs(request.directories)
    catalogue = {name: sha256_of(path) for name, path in catalogue_paths().items()}
    rules = RunRules(now=now, max_age_days=request.max_age_days, superseded=superseded, catalogue=catalogue)
    placed, more = read_runs(paths, judge, rules)
    history, history_inputs = _history(request, paths)
    previous = None if request.previous is None else read_document(request.previous)
    runs = [run for _, run in placed]
    inputs += history_inputs
    if request.previous is not None:
        inputs.append(InputDigest(kind="previous", name=request.previous.name, sha256=sha256_of(request.previous)))
    inputs += [InputDigest(kind="run", name=run.run_id, sha256=run.manifest_digest) for run in runs if run.manifest_digest]
    readiness = decide(
        Case(
            release=request.release or _one_version(runs) or "unnamed",
            checklist=checklist,
            runs=runs,
            now=now,
            harness_version=__version__,
            attestations=attestations,
            waivers=waivers,
            superseded=superseded,
            history=history,
            previous=previous,
            problems=[*problems, *more],
            inputs=inputs,
            max_age_days=request.max_age_days,
            labels=request.labels,
        )
    )
    return ReleaseMaterial(
        readiness=readiness,
        document=codec.to_pretty_json(readiness),
        command=request.command,
        runs={run.run_id: read_material(RunDirectory(path)) for path, run in placed},
    )


def write_release(material: ReleaseMaterial, out: Path, formats: Sequence[str], key: Path | None = None) -> list[Path]:
    """Write the forms of a release and return their paths. key: signs `intoto`, which is written only with one.

    Raises ConfigurationError before anything is written, StorageError.
    """
    if "intoto" in formats:
        if key is None:
            raise ConfigurationError("the form intoto is signed: give --sign KEY", advice="harness sign --new-key FILE makes one")
        read_private_key(key)
    contents = render(material, formats)
    if key is not None and "intoto" in formats:
        name = FILE_NAMES["intoto"]
        contents[name] = seal(contents[name], key)
    for name, data in contents.items():
        write_whole(out / name, data)
    return [out / name for name in contents]


def default_release_out(directories: Sequence[Path], release: str) -> Path:
    """Return where a release goes when nobody says: `readiness-RELEASE` beside the first run."""
    first = directories[0]
    return (first.parent if is_run(first) else first) / f"readiness-{release}"


def _history(request: ReleaseRequest, paths: Sequence[Path]) -> tuple[History | None, list[InputDigest]]:
    if request.history is not None:
        found = [request.history]
    else:
        beside = [place / "history.jsonl" for path in paths for place in list(path.resolve().parents)[:2]]
        found = [path for path in dict.fromkeys(beside) if path.is_file()]
    histories = [read_history(path) for path in found]
    inputs = [
        InputDigest(kind="history", name=path.name, sha256=each.digest) for path, each in zip(found, histories, strict=True)
    ]
    return (merge(histories) if histories else None), inputs


def _one_version(runs: Sequence[ReleaseRun]) -> str | None:
    versions = {run.target_version for run in runs}
    version = versions.pop() if len(versions) == 1 else None
    return version if version is not None and _NAME.fullmatch(version) else None
