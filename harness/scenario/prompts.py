"""What the users of a class say: prompts written down, in a file, made to a length, or conversations."""

import json
from dataclasses import dataclass
from pathlib import Path as FilePath

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.scenario.document import ClassDocument

MOST_PROMPTS = 50_000
FILLED = "Question {n}: {words}"
"""What a class says that has nothing but a length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Openers, and what follows each of them; `follow_ups` is empty or of the same length."""

    prompts: tuple[str, ...]
    follow_ups: tuple[tuple[str, ...], ...] = ()


def said_by(part: ClassDocument, directory: FilePath, path: Path, findings: Findings) -> Said | None:
    """Return what a class says; None where that cannot be told, noted with file and line."""
    given = [name for name in ("prompts", "prompts_file", "conversations") if getattr(part, name) is not None]
    if len(given) > 1:
        findings.add(path, f"a class says its prompts once; this one has {' and '.join(given)}")
        return None
    if part.prompts_file is not None:
        return _from_file(directory / part.prompts_file, (*path, "prompts_file"), findings)
    if part.conversations is not None:
        if any(not turns for turns in part.conversations):
            findings.add((*path, "conversations"), "a conversation has at least one turn")
            return None
        return _talks([list(turns) for turns in part.conversations])
    if part.prompts is not None:
        return Said(prompts=tuple(part.prompts))
    if part.prompt_tokens is not None or part.protocol is not None:
        return Said(prompts=(FILLED,))
    findings.add(path, "a class of its own needs `prompts`, `prompts_file`, `conversations` or `prompt_tokens`")
    return None


def _from_file(file: FilePath, path: Path, findings: Findings) -> Said | None:
    """A line a prompt; of a `.jsonl` each line is `{"prompt": ...}` or `{"turns": [...]}`."""
    talks: list[list[str]] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        findings.add(path, f"{file}: {getattr(error, 'strerror', None) or error}")
        return None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        turns = [line] if file.suffix.lower() not in (".jsonl", ".ndjson") else _turns_of(line)
        if turns is None:
            findings.add(path, f'{file}:{number}: a line is {{"prompt": "..."}} or {{"turns": ["...", "..."]}}')
            return None
        talks.append(turns)
    if not talks or len(talks) > MOST_PROMPTS:
        findings.add(path, f"{file}: {len(talks):,} prompts; a file has 1 to {MOST_PROMPTS:,}")
        return None
    return _talks(talks)


def _turns_of(line: str) -> list[str] | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    turns = document.get("turns", [document.get("prompt")])
    is_sound = isinstance(turns, list) and bool(turns) and all(isinstance(turn, str) and turn for turn in turns)
    return turns if is_sound else None


def _talks(talks: list[list[str]]) -> Said:
    follow_ups = tuple(tuple(turns[1:]) for turns in talks)
    return Said(prompts=tuple(turns[0] for turns in talks), follow_ups=follow_ups if any(follow_ups) else ())
