"""The steps that heal a fault from another process, and the list of them on disk."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.errors import FaultError


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpStep:
    """A call that takes the fault away; 404 means that it is gone already. body: JSON text."""

    method: str
    url: str
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeStep:
    """SIGCONT for one process and all below it, if it is still that very process."""

    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStep:
    """One call of a container engine that brings a container back.

    do: `unpause`, `start`, `update` (body: its limits), `connect` (to network `body["Network"]`), `resolve` (body: `Text`,
    the resolver's file) or `write` (body: `Path`, of a file in it, and `Text`).
    """

    engine: str
    container_id: str
    do: str
    body: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStep:
    """Commands to a Redis or Valkey at `host:port`. The password goes over the guardian's pipe and never to the disk."""

    address: str
    commands: tuple[tuple[str, ...], ...]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStep:
    """Statements to a PostgreSQL at `host:port`, each on its own. The password never goes to the disk."""

    address: str
    user: str
    database: str
    statements: tuple[str, ...]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStep:
    """The limits of one process, if it is still that very process. kind: of the fault that lowered them."""

    pid: int
    start_ticks: int
    kind: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStep:
    """A file that gets its text back; nothing where its directory has gone, and its readers with it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStep:
    """A command of the user's own, without a shell; it must be safe to run twice."""

    command: tuple[str, ...]
    within_s: float


UndoStep = HttpStep | ResumeStep | ContainerStep | StoreStep | DatabaseStep | LimitStep | FileStep | CommandStep

_NAMES: dict[type[UndoStep], str] = {
    HttpStep: "http",
    ResumeStep: "resume",
    ContainerStep: "container",
    StoreStep: "store",
    DatabaseStep: "database",
    LimitStep: "limit",
    FileStep: "file",
    CommandStep: "command",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoList:
    """All that is to be healed, by fault id, in the order applied.

    guardian_pid, guardian_ticks: who looks after it; while that process lives the list is not a leftover.
    """

    guardian_pid: int
    guardian_ticks: int
    steps: Mapping[str, tuple[UndoStep, ...]]


def socket_beside(undo_list: Path) -> Path:
    """Return where the control that this list belongs to listens for people's orders."""
    return undo_list.with_suffix(".sock")


def to_json(undo: UndoList) -> bytes:
    """Return the list as it stands on disk: without passwords."""
    steps = {name: [_without_secret(_step_to_json(step)) for step in part] for name, part in undo.steps.items()}
    owner = {"guardian_pid": undo.guardian_pid, "guardian_ticks": undo.guardian_ticks}
    return json.dumps({"schema": "harness.undo/1", **owner, "steps": steps}, indent=1).encode()


def from_json(data: bytes, path: Path) -> UndoList:
    """Return the list. Raises FaultError on anything but what `to_json` writes; path is named in it."""
    try:
        read = json.loads(data)
        if read["schema"] != "harness.undo/1":
            raise ValueError(read["schema"])
        steps = {str(name): tuple(step_from_json(step) for step in part) for name, part in read["steps"].items()}
        return UndoList(guardian_pid=int(read["guardian_pid"]), guardian_ticks=int(read["guardian_ticks"]), steps=steps)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FaultError(f"{path}: not an undo list: {error}", advice="look into it by hand, then remove it") from error


def step_from_json(read: Mapping[str, object]) -> UndoStep:
    """Return one step. Raises ValueError, KeyError or TypeError on a foreign one."""
    fields = {name: value for name, value in read.items() if name != "step"}
    match read["step"]:
        case "http":
            return HttpStep(**fields)  # type: ignore[arg-type]
        case "resume":
            return ResumeStep(**fields)  # type: ignore[arg-type]
        case "container":
            return ContainerStep(**fields)  # type: ignore[arg-type]
        case "store":
            commands = tuple(tuple(str(word) for word in command) for command in fields.pop("commands"))  # type: ignore[attr-defined]
            return StoreStep(commands=commands, **fields)  # type: ignore[arg-type]
        case "database":
            statements = tuple(str(statement) for statement in fields.pop("statements"))  # type: ignore[attr-defined]
            return DatabaseStep(statements=statements, **fields)  # type: ignore[arg-type]
        case "limit":
            return LimitStep(**fields)  # type: ignore[arg-type]
        case "file":
            return FileStep(**fields)  # type: ignore[arg-type]
        case "command":
            words = tuple(str(word) for word in fields.pop("command"))  # type: ignore[attr-defined]
            return CommandStep(command=words, **fields)  # type: ignore[arg-type]
        case other:
            raise ValueError(f"unknown step {other!r}")


def steps_to_json(steps: tuple[UndoStep, ...]) -> list[dict[str, object]]:
    """Return steps as JSON values, for the guardian's pipe alone: passwords are in them."""
    return [_step_to_json(step) for step in steps]


def _step_to_json(step: UndoStep) -> dict[str, object]:
    return {"step": _NAMES[type(step)], **asdict(step)}


def _without_secret(step: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in step.items() if name != "password"}
