"""Writes the pages of this folder that come from the code: `python docs/reference/generate.py`, or `make reference`.

A test holds what is committed against what this would write, so no command, option, objective, check or field of a file
goes undocumented.
"""

import dataclasses
import enum
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from harness.checks import PLANNERS
from harness.cli.main import root
from harness.errors import ExitCode
from harness.model.fault import Parameter
from harness.model.objective import Kind, Objective, Quantity, Severity
from harness.rundir import schemas

HERE = Path(__file__).parent
NOTE = "<!-- Written by docs/reference/generate.py: change the code, then `make reference`. -->\n\n"

FILES: tuple[tuple[str, str, str], ...] = (
    ("plan.json", "harness.model.plan", "Plan"),
    ("journal.jsonl", "harness.model.journal", "JournalEntry"),
    ("live.jsonl", "harness.model.live", "LiveLine"),
    ("measurements/summary.json", "harness.model.measurement", "Summary"),
    ("verdict.json", "harness.model.judgement", "Verdict"),
    ("readiness.json", "harness.model.readiness", "Readiness"),
    ("readiness.signoff.jsonl", "harness.model.readiness", "SignOff"),
    ("a file of `harness baseline save`", "harness.model.baseline", "Baseline"),
)
"""What a run or a report leaves behind, and the noun that it is written from."""


def commands() -> str:
    """Return the page of every command and option."""
    lines = [
        "# Commands",
        "",
        "`harness COMMAND --help` says the same. Human words go to standard error, what a program reads to standard output.",
    ]
    lines += ["", "## Exit codes", "", "| code | means |", "| --- | --- |"]
    lines += [f"| {code.value} | {code.name.lower().replace('_', ' ')} |" for code in ExitCode]
    lines.append("")
    group = root()
    with click.Context(group, info_name="harness") as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            lines += _command(command, f"harness {name}", context)
    return "\n".join(lines)


def _command(command: click.Command, path: str, parent: click.Context, level: int = 2) -> Iterator[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    yield from (f"{'#' * level} {path}", "", f"`{path} {' '.join(command.collect_usage_pieces(context))}`", "")
    yield from (_prose(command.help or command.short_help or ""), "")
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if options:
        yield from ("| option | does |", "| --- | --- |")
        for option in options:
            names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
            value = "" if option.is_flag else f" `{_cell(option.make_metavar(context))}`"
            yield f"| {names}{value} | {_cell(_option(option))} |"
        yield ""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _command(below, f"{path} {name}", context, level + 1)


def _option(option: click.Option) -> str:
    said = option.help or ""
    default = option.default
    if not option.is_flag and option.show_default and default is not None and not callable(default):
        said += f" Default: {default}."
    if option.envvar:
        said += f" Also `{option.envvar}`."
    return said


def _prose(text: str) -> str:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        "```\n" + each.replace("\b\n", "") + "\n```" if each.startswith("\b") else " ".join(each.split()) for each in paragraphs
    )


def objectives() -> str:
    """Return the page of what an objective can ask."""
    lines = ["# Objectives", "", "What each asks and how it is decided: [verdicts](../explanation/verdicts.md).", ""]
    lines += ["## Quantities", "", "| quantity | is |", "| --- | --- |"]
    comments = _comments(Quantity)
    lines += [f"| `{each.value}` | {_cell(comments.get(each.name, ''))} |" for each in Quantity]
    for what, about in ((Kind, "Kinds"), (Severity, "Severities")):
        comments = _comments(what)
        lines += ["", f"## {about}", "", "| value | is |", "| --- | --- |"]
        lines += [f"| `{each.value}` | {_cell(comments.get(each.name, ''))} |" for each in what]
    return "\n".join([*lines, "", *_noun("Objective", Objective, set())])


def checks() -> str:
    """Return the page of every check and its settings."""
    lines = [
        "# Checks",
        "",
        "A check puts steps of its own on the scenario's timeline, and is judged from the run directory: `harness list checks`.",
        "",
    ]
    for name, planner in sorted(PLANNERS.items()):
        lines += [f"## {name}", "", f"{planner.title}.", ""]
        doc = inspect.getdoc(sys.modules[type(planner).__module__]) or ""
        lines += [" ".join(part.split()) + "\n" for part in doc.split("\n\n")[1:]]
        if planner.settings:
            lines += ["| setting | is | default |", "| --- | --- | --- |", *map(_setting, planner.settings), ""]
    return "\n".join(lines)


def _setting(each: Parameter) -> str:
    allowed = f" within {each.low:g}..{each.high:g}" if each.low is not None and each.high is not None else ""
    choices = f"; {', '.join(each.choices)}" if each.choices else ""
    unit = f" of {each.unit}" if each.unit else ""
    default = "" if each.default is None else f"`{each.default}`"
    return f"| `{each.name}` | {_cell(f'{each.doc} ({each.type.__name__}{unit}{allowed}{choices})')} | {default} |"


def files() -> str:
    """Return the page of every file that a run leaves behind, and every field in it."""
    lines = [
        "# Files of a run",
        "",
        "Nanoseconds are of one clock, from the zero in `plan.json`; null means that it did not happen.",
        "",
    ]
    seen: set[type] = set()
    for file, module, name in FILES:
        noun = getattr(importlib.import_module(module), name)
        lines += [f"## {file}", "", *_noun(name, noun, seen)]
    for file, schema, module, name in (
        ("samples/samples.parquet", schemas.SAMPLES_SCHEMA, "harness.model.sample", "Sample"),
        ("truth/calls.parquet", schemas.CALLS_SCHEMA, "harness.model.sample", "Call"),
    ):
        noun = getattr(importlib.import_module(module), name)
        lines += [
            f"## {file}",
            "",
            f"Schema `{schema.metadata[b'schema'].decode()}`; while running, Arrow streams of the same columns.",
            "",
        ]
        lines += [*_doc(noun), "", "| column | type | may be null |", "| --- | --- | --- |"]
        lines += [f"| `{each.name}` | `{each.type}` | {'yes' if each.nullable else 'no'} |" for each in schema]
        lines.append("")
    return "\n".join(lines)


def _noun(name: str, noun: type, seen: set[type]) -> list[str]:
    """Return a dataclass as a table, and each that it holds after it, once."""
    if noun in seen:
        return [f"As above: `{name}`.", ""]
    seen.add(noun)
    lines = [f"### {name}", "", *_doc(noun), "", "| field | type |", "| --- | --- |"]
    hints = typing.get_type_hints(noun)
    lines += [f"| `{each.name}` | {_cell(f'`{_type(hints[each.name])}`')} |" for each in dataclasses.fields(noun)]
    lines.append("")
    for held in (found for hint in hints.values() for found in _held(hint)):
        if held not in seen:
            lines += _noun(held.__name__, held, seen)
    return lines


def _held(hint: object) -> Iterator[type]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for part in typing.get_args(hint):
        yield from _held(part)


def _type(hint: object) -> str:
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " | ".join(str(each.value) for each in hint)
    if isinstance(hint, type) and not typing.get_args(hint):
        return hint.__name__.replace("NoneType", "null")
    parts = typing.get_args(hint)
    origin = typing.get_origin(hint)
    if origin is None or not parts:
        return str(hint)
    if (isinstance(origin, type) and origin.__name__ == "UnionType") or origin is typing.Union:
        return " | ".join(_type(part) for part in parts)
    inner = ", ".join("..." if part is Ellipsis else _type(part) for part in parts)
    return f"{getattr(origin, '__name__', str(origin))}[{inner}]"


def _doc(noun: type) -> list[str]:
    return [*(inspect.getdoc(noun) or "").splitlines()]


def _comments(values: type[enum.Enum]) -> dict[str, str]:
    """Return what stands behind each value of an enumeration."""
    found = {}
    for line in inspect.getsource(values).splitlines():
        name, _, rest = line.strip().partition(" = ")
        if rest and "  # " in rest:
            comment = rest.partition("  # ")[2]
            found[name] = "" if comment.startswith("noqa") else comment
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "objectives.md": objectives,
    "checks.md": checks,
    "files.md": files,
}


def written(name: str) -> str:
    """Return a page as it belongs on disk."""
    return NOTE + PAGES[name]().rstrip() + "\n"


if __name__ == "__main__":
    for page in PAGES:
        (HERE / page).write_text(written(page), encoding="utf-8")
