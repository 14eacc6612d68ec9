"""Workflows: versioned files that say which messages are whose, and how they are answered.

A file is `NAME.vVERSION.toml`; of each name the highest version counts. `python -m reference_service.workflow export`
writes all versions as one JSON bundle to standard output; `import FOLDER` reads a bundle from standard input, checks it
whole, and writes what is new; `check FOLDER` reads a folder. SERVICE_WORKFLOWS names the folder that a service reads.
"""

import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reference_service.errors import SettingsError
from reference_service.turn import Intent

FORMAT = "reference-service.workflows/1"
_FILE = re.compile(r"([a-z]+)\.v([1-9]\d{0,5})\.toml")


class Workflow(BaseModel):
    """One workflow. whole_message, contains: patterns, case does not count. by_rule: its fixed answer; else a model's."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Intent
    version: int = Field(ge=1)
    order: int
    by_rule: str | None = Field(default=None, min_length=1, max_length=2000)
    whole_message: tuple[re.Pattern[str], ...] = ()
    contains: tuple[re.Pattern[str], ...] = ()
    most_words: int | None = Field(default=None, ge=1)
    passages: int = Field(default=0, ge=0, le=10)
    least_score: float = Field(default=0.0, ge=0, le=1)
    context: str = Field(default="", max_length=2000)

    @field_validator("whole_message", "contains", mode="before")
    @classmethod
    def _patterns(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            raise ValueError("use a list of patterns")
        try:
            return tuple(re.compile(p, re.IGNORECASE) if isinstance(p, str) else p for p in value)
        except re.error as error:
            raise ValueError(f"not a pattern: {error}") from error

    def takes(self, text: str) -> bool:
        """Return whether a message is this workflow's."""
        if self.most_words is not None and len(text.split()) > self.most_words:
            return False
        return any(p.fullmatch(text) for p in self.whole_message) or any(p.search(text) for p in self.contains)

    def number_in(self, text: str) -> int | None:
        """Return the number that a pattern's group holds, such as a score."""
        found = (p.fullmatch(text) for p in self.whole_message)
        return next((int(m.group(1)) for m in found if m is not None and m.re.groups), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflows:
    """The workflows in use, in the order in which they are asked."""

    by_name: Mapping[str, Workflow]

    def intent_of(self, text: str) -> Intent:
        """Return the first workflow that takes the message; what none takes is a knowledge question."""
        return next((w.name for w in self.by_name.values() if w.takes(text)), "knowledge")

    def of(self, intent: Intent) -> Workflow:
        """Return a workflow by its intent."""
        return self.by_name[intent]

    @property
    def versions(self) -> dict[str, int]:
        """Return which version of each is in use."""
        return {w.name: w.version for w in self.by_name.values()}


def read_texts(folder: str = "") -> dict[str, str]:
    """Return each workflow file's text by name. folder: empty for the ones that come with the service.

    Raises SettingsError.
    """
    try:
        place = Path(folder) if folder else files("reference_service") / "workflows"
        return {
            f.name: f.read_text(encoding="utf-8")
            for f in sorted(place.iterdir(), key=lambda f: f.name)
            if f.name.endswith(".toml")
        }
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"SERVICE_WORKFLOWS={folder}: {type(error).__name__}: the folder cannot be read") from error


def load(texts: Mapping[str, str]) -> Workflows:
    """Return the workflows that the files describe; of each name the highest version. Raises SettingsError."""
    latest: dict[str, Workflow] = {}
    for file, text in texts.items():
        workflow = _one(file, text)
        if workflow.name not in latest or latest[workflow.name].version < workflow.version:
            latest[workflow.name] = workflow
    missing = {"greeting", "feedback", "escalation", "faq", "knowledge"} - latest.keys()
    if missing:
        raise SettingsError(f"workflows: no file for {', '.join(sorted(missing))}; each needs one, such as faq.v1.toml")
    return Workflows(by_name={w.name: w for w in sorted(latest.values(), key=lambda w: w.order)})


def bundle_of(texts: Mapping[str, str]) -> str:
    """Return all files as one JSON document, each with its digest."""
    rows = [{"file": name, "sha256": sha256(text.encode()).hexdigest(), "text": text} for name, text in sorted(texts.items())]
    return json.dumps({"format": FORMAT, "files": rows}, ensure_ascii=False, indent=1) + "\n"


def texts_of(bundle: str) -> dict[str, str]:
    """Return the files of a bundle. Raises SettingsError where it is damaged or not one."""
    try:
        value = json.loads(bundle)
        if value["format"] != FORMAT:
            raise SettingsError(f"workflows: format is {value['format']!r}, this version reads {FORMAT!r}")
        texts = {str(row["file"]): str(row["text"]) for row in value["files"]}
        damaged = [str(row["file"]) for row in value["files"] if sha256(str(row["text"]).encode()).hexdigest() != row["sha256"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"workflows: this is not a bundle that `export` wrote ({type(error).__name__})") from error
    if damaged:
        raise SettingsError(f"workflows: {', '.join(damaged)}: the text is not the one that was exported")
    return texts


def import_into(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write the files that are new, all or none; return their names. A version that exists with other text is refused."""
    load(texts)
    folder.mkdir(parents=True, exist_ok=True)
    present = read_texts(str(folder))
    changed = [name for name, text in texts.items() if present.get(name, text) != text]
    if changed:
        raise SettingsError(f"workflows: {', '.join(changed)} exists with other text; a change is a new version")
    new = [name for name in texts if name not in present]
    for name in new:
        whole = folder / f".{name}.new"
        whole.write_text(texts[name], encoding="utf-8")
        whole.rename(folder / name)
    return new


def _one(file: str, text: str) -> Workflow:
    named = _FILE.fullmatch(file)
    if named is None:
        raise SettingsError(f"workflows: {file}: name it NAME.vVERSION.toml, such as faq.v2.toml")
    try:
        workflow = Workflow.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"workflows: {file}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SettingsError(f"workflows: {file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if (workflow.name, workflow.version) != (named[1], int(named[2])):
        raise SettingsError(f"workflows: {file}: the file says {workflow.name} v{workflow.version}")
    return workflow


def main(arguments: Sequence[str]) -> int:
    """Run the program; 2 for what cannot be used."""
    try:
        match list(arguments):
            case ["export", *rest] if len(rest) <= 1:
                texts = read_texts(*rest)
                load(texts)
                sys.stdout.write(bundle_of(texts))
            case ["import", folder]:
                new = import_into(Path(folder), texts_of(sys.stdin.read()))
                sys.stdout.write(json.dumps({"event": "imported", "new": new}) + "\n")
            case ["check", folder]:
                sys.stdout.write(json.dumps({"event": "checked", "versions": load(read_texts(folder)).versions}) + "\n")
            case _:
                raise SettingsError("use: export [FOLDER] | import FOLDER < BUNDLE | check FOLDER")
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
