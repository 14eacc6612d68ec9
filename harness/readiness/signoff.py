"""Who decided on a release, on what digest; and whether a document, its signature and its sign-offs still hold."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import ConfigurationError, RunDirectoryError, did_you_mean
from harness.model.readiness import Readiness, SignOff
from harness.readiness.dsse import key_id, open_envelope, read_private_key
from harness.readiness.runs import find_runs
from harness.rundir import RunDirectory, codec
from harness.rundir.files import sha256_of, storage_errors

DOCUMENT, ENVELOPE, SIGN_OFFS = "readiness.json", "readiness.intoto.json", "readiness.signoff.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. holds: False is a reason not to trust the document."""

    holds: bool
    text: str


def find_document(path: Path) -> Path:
    """Return the `readiness.json` that a path means: the file, or the directory that holds it. Raises ConfigurationError."""
    document = path / DOCUMENT if path.is_dir() else path
    if not document.is_file():
        raise ConfigurationError(f"{document}: there is no readiness document", advice="harness report DIR... makes one")
    return document


def read_document(path: Path) -> Readiness:
    """Return a readiness document. Raises ConfigurationError where it is none, or of a later version."""
    try:
        readiness = codec.read_json(path, Readiness)
    except RunDirectoryError as error:
        raise ConfigurationError(f"{error.message}: not a readiness document") from error
    if readiness.schema != "harness.readiness/1":
        raise ConfigurationError(f"{path}: it is {readiness.schema!r}, which this harness does not read")
    return readiness


def sign_off(document: Path, *, name: str, decision: str, reason: str, at: str, key: Path | None = None) -> SignOff:
    """Record a decision on the digest of a document, in a file beside it; return the record. at: UTC, ISO 8601.

    Raises ConfigurationError for who may not sign, StorageError.
    """
    readiness = read_document(document)
    if not name.strip() or not reason.strip():
        raise ConfigurationError("a decision needs a name and a reason: --as NAME --reason TEXT")
    if readiness.signers and name not in readiness.signers:
        allowed = ", ".join(readiness.signers)
        raise ConfigurationError(f"{name!r} may not sign: the checklist names {allowed}{did_you_mean(name, readiness.signers)}")
    record = SignOff(
        name=name,
        decision=decision,
        reason=reason,
        digest=sha256_of(document),
        release=readiness.release,
        evidence_says=readiness.decision,
        at=at,
    )
    if key is not None:
        private = read_private_key(key)
        record = replace(record, key=key_id(private.public_key()))
        record = replace(record, signature=private.sign(_signed(record)).hex())
    path = document.with_name(SIGN_OFFS)
    with storage_errors(path), path.open("ab") as file:
        file.write(codec.to_json(record) + b"\n")
    return record


def read_sign_offs(document: Path) -> list[SignOff]:
    """Return the decisions recorded beside a document, in order. Raises RunDirectoryError on a line that is none."""
    path = document.with_name(SIGN_OFFS)
    if not path.is_file():
        return []
    lines = [line for line in path.read_bytes().split(b"\n") if line]
    return [codec.from_json(line, SignOff, where=f"{path.name}:{number}") for number, line in enumerate(lines, start=1)]


def verify(document: Path, key: Path | None, runs: Sequence[Path] = ()) -> list[Finding]:
    """Return what holds and what does not: signature, the files beside the document, sign-offs, and the runs if given.

    key: the public (or private) key that must have signed; None leaves the signature unchecked, which is a finding.
    runs: run directories, and directories of several runs, as they were given for the document.
    """
    readiness = read_document(document)
    findings = [Finding(holds=True, text=f"release {readiness.release} is {readiness.decision.value} by its document")]
    findings += _envelope(document, key)
    findings += _sign_offs(document, key)
    places, missing = find_runs(runs)
    findings += [Finding(holds=False, text=problem.text) for problem in missing]
    findings += [finding for path in places for finding in _run(path, readiness)]
    return findings


def _envelope(document: Path, key: Path | None) -> list[Finding]:
    path = document.with_name(ENVELOPE)
    if not path.is_file():
        return [Finding(holds=False, text=f"it is not signed: there is no {ENVELOPE}")]
    if key is None:
        return [Finding(holds=False, text="its signature was not checked: give the public key with --key FILE")]
    try:
        opened = open_envelope(path.read_bytes(), key, where=path.name)
        subjects = {each["name"]: each["digest"] for each in json.loads(opened.payload)["subject"]}
    except ConfigurationError as error:
        return [Finding(holds=False, text=str(error.problems[0]))]
    except (ValueError, KeyError, TypeError):
        return [Finding(holds=False, text=f"{path.name}: signed, but not a statement about a release")]
    findings = [Finding(holds=True, text=f"signed by key {opened.key_id[:16]}")]
    if DOCUMENT not in subjects:
        findings.append(Finding(holds=False, text=f"what was signed is not about {DOCUMENT}"))
    for name, digest in subjects.items():
        if "sha256" not in digest or Path(name).name != name:
            continue
        beside = document if name == DOCUMENT else document.with_name(name)
        if not beside.is_file():
            findings.append(Finding(holds=False, text=f"{name} was signed and is missing"))
        elif sha256_of(beside) != digest["sha256"]:
            findings.append(Finding(holds=False, text=f"{name} is not what was signed: it was changed"))
        else:
            findings.append(Finding(holds=True, text=f"{name} is what was signed"))
    return findings


def _sign_offs(document: Path, key: Path | None) -> list[Finding]:
    try:
        records = read_sign_offs(document)
    except RunDirectoryError as error:
        return [Finding(holds=False, text=error.message)]
    digest = sha256_of(document)
    findings = []
    for record in records:
        said = f"{record.decision} by {record.name} on {record.at}"
        if record.digest != digest:
            findings.append(Finding(holds=False, text=f"{said}: on another document ({record.digest[:16]}), not on this one"))
        elif record.signature is None:
            findings.append(Finding(holds=True, text=f"{said}: {record.reason} (not signed with a key)"))
        else:
            findings.append(_signed_record(record, said, key))
    return findings


def _signed_record(record: SignOff, said: str, key: Path | None) -> Finding:
    from cryptography.exceptions import InvalidSignature

    from harness.readiness.dsse import read_public_key

    if key is None or record.signature is None:
        return Finding(holds=False, text=f"{said}: its signature was not checked: give the key with --key FILE")
    public = read_public_key(key)
    if record.key != key_id(public):
        return Finding(holds=True, text=f"{said}: {record.reason} (signed with another key, {str(record.key)[:16]}: not checked)")
    try:
        public.verify(bytes.fromhex(record.signature), _signed(record))
    except (InvalidSignature, ValueError):
        return Finding(holds=False, text=f"{said}: its signature does not hold: the record was changed")
    return Finding(holds=True, text=f"{said}: {record.reason} (signed)")


def _run(path: Path, readiness: Readiness) -> list[Finding]:
    run = RunDirectory.open(path)
    run_id = run.read_plan().run_id
    manifest = path / "manifest.json"
    known = {each.name: each.sha256 for each in readiness.inputs if each.kind == "run"}
    if run_id not in known:
        return [Finding(holds=False, text=f"run {run_id} is not an input of this document")]
    if not manifest.is_file() or sha256_of(manifest) != known[run_id]:
        return [Finding(holds=False, text=f"run {run_id}: its manifest is not the one that was judged")]
    changed = run.tampered()
    if changed:
        return [Finding(holds=False, text=f"run {run_id}: {', '.join(changed[:3])} missing or changed")]
    return [Finding(holds=True, text=f"run {run_id} is what was judged")]


def _signed(record: SignOff) -> bytes:
    return hashlib.sha256(codec.to_json(replace(record, signature=None))).digest()
