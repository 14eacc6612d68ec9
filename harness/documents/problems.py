"""Pydantic's findings in the user's words: where, what, what is allowed, what may have been meant."""

import types
import typing
from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.documents.located import Located, Path
from harness.errors import did_you_mean


def describe(error: ValidationError, located: Located, root: type[BaseModel]) -> list[str]:
    """Return one line for each problem, in the order of the file."""
    lines: dict[tuple[int, int], list[str]] = {}
    for problem in error.errors(include_url=False):
        path = _document_path(problem["loc"], located)
        position = located.positions.get(path) or located.positions.get(path[:-1]) or (1, 1)
        told = _bound(problem, path) or _sentence(problem["type"], problem["msg"], path, problem.get("input"), root)
        text = f"{located.at(path)}: {told}"
        known = lines.setdefault(position, [])
        if text not in known:
            known.append(text)
    return [text for position in sorted(lines) for text in lines[position]]


def show_path(path: Sequence[str | int]) -> str:
    """Return a path as people write it: `phases[1].faults[0].kind`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text or "the document"


def _document_path(loc: tuple[int | str, ...], located: Located) -> Path:
    """Drop what pydantic adds for unions and validators: keep the parts that stand in the document."""
    path: Path = ()
    for part in loc:
        longer = (*path, part)
        if longer in located.positions:
            path = longer
        elif isinstance(part, str) and part and part[0].islower() and "[" not in part and "-" not in part:
            return longer  # a missing key: shown at what should hold it
    return path


def _sentence(kind: str, message: str, path: Path, given: object, root: type[BaseModel]) -> str:
    where = show_path(path)
    if kind == "extra_forbidden":
        allowed = _allowed_keys(path[:-1], root)
        hint = did_you_mean(str(path[-1]), allowed)
        return f"unknown key {path[-1]!r} in {show_path(path[:-1])}; allowed: {', '.join(allowed)}{hint}"
    if kind == "missing":
        return f"{show_path(path[:-1])} needs the key {path[-1]!r}"
    if kind == "enum":
        allowed = [part.strip(" '") for part in message.removeprefix("Input should be ").replace(" or ", ", ").split(",")]
        return f"{where} is {given!r}; allowed: {', '.join(allowed)}{did_you_mean(str(given), allowed)}"
    if kind == "value_error":
        return f"{where}: {message.removeprefix('Value error, ')}"
    if kind in ("model_type", "dict_type"):
        return f"{where} is {_short(given)}; it should be a mapping of keys to values"
    if kind == "list_type":
        return f"{where} is {_short(given)}; it should be a list"
    if kind == "string_type":
        return f"{where} is {_short(given)}; it should be text: put it in quotes"
    if kind == "string_pattern_mismatch":
        return f"{where} is {given!r}; use lower-case letters, digits and hyphens"
    if kind == "greater_than":
        return f"{where} must be above 0"
    return f"{where} is {_short(given)}: {message[:1].lower()}{message[1:]}"


def _bound(problem: ErrorDetails, path: Path) -> str | None:
    """Return the sentence for a value that is out of its bounds, in the unit in which it was written."""
    bounds, given = problem.get("ctx", {}), problem["input"]
    if problem["type"] not in ("greater_than_equal", "less_than_equal", "too_short"):
        return None
    if problem["type"] == "too_short":
        return f"{show_path(path)} has {len(given)} entries; give it {bounds['min_length']} or more"
    bound, side = (bounds["ge"], "more") if "ge" in bounds else (bounds["le"], "less")
    in_time = isinstance(given, str)  # only lengths of time are written as text and compared as numbers
    return f"{show_path(path)} is {_short(given)}; use {f'{bound / 1e6:g}ms' if in_time else f'{bound:,}'} or {side}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _allowed_keys(path: Path, root: type[BaseModel]) -> list[str]:
    model = root
    for part in path:
        if isinstance(part, int):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields and (inner := _model_in(fields[part].annotation)):
            model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        if inner := _model_in(part):
            return inner
    return None
