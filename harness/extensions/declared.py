"""What a plug-in file declares, read and not run: code out of a pull request must not run because somebody planned it.

Only the declarations at the top level are evaluated, and of these only what is spelled out: text, numbers, tuples,
`Parameter(...)`, the names of types, and constants that the file sets above. What is code stays a name.
"""

import ast
from collections.abc import Mapping
from dataclasses import fields

from harness.errors import ConfigurationError
from harness.extensions.kinds import CheckExtension, Extension, FaultExtension, ObjectiveExtension
from harness.model.check import CheckSteps
from harness.model.fault import Parameter

_DECLARED: Mapping[str, type[Extension]] = {each.__name__: each for each in (FaultExtension, CheckExtension, ObjectiveExtension)}
_TYPES: Mapping[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
_CODE = frozenset({"backend", "plan", "judge", "share", "figure"})
_DEEPEST = 20


def read_declared(data: bytes, name: str) -> list[Extension]:
    """Return what a file declares, its code replaced by what does nothing. name: for errors. Raises ConfigurationError."""
    try:
        tree = ast.parse(data, filename=name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ConfigurationError(f"{name}:{line}: not Python: {getattr(error, 'msg', None) or error}") from error
    constants: dict[str, object] = {}
    found: list[Extension] = []
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        declared = _DECLARED.get(_called(node.value))
        if declared is not None:
            found.append(_declaration(node.value, declared, constants, name))
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name):
            try:
                constants[target.id] = _value(node.value, constants)
            except _NotPlainError:
                constants.pop(target.id, None)
    return found


class _NotPlainError(Exception):
    """A value that only running the file would give."""

    def __init__(self, node: ast.AST) -> None:
        super().__init__(ast.unparse(node)[:60])
        self.line = getattr(node, "lineno", 1)


def _declaration(node: ast.expr, declared: type[Extension], constants: Mapping[str, object], name: str) -> Extension:
    assert isinstance(node, ast.Call)
    known = [field.name for field in fields(declared)]
    given: dict[str, object] = {}
    where = f"{name}:{node.lineno}: {declared.__name__}"
    if node.args:
        raise ConfigurationError(f"{where} takes its parts by name: {', '.join(f'{part}=' for part in known)}")
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in known:
            raise ConfigurationError(f"{where} has no {keyword.arg or '**'!r}; it takes {', '.join(known)}")
        if keyword.arg in _CODE:
            given[keyword.arg] = _unread
            continue
        try:
            given[keyword.arg] = _value(keyword.value, constants)
        except _NotPlainError as error:
            raise ConfigurationError(
                f"{name}:{error.line}: {keyword.arg}={error} cannot be read without running the file",
                advice="spell it out: text, numbers, tuples, Parameter(...), or a constant of the file set above it",
            ) from error
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{name}:{keyword.value.lineno}: {keyword.arg}: {error}") from error
    try:
        return declared(**given)  # type: ignore[arg-type]  # its own checks tell what is wrong with a part
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{where}: {_short(error)}") from error


def _unread(*_: object) -> CheckSteps:
    """Stand for code that was not run: a check that was only read puts nothing on the timeline, and `plan` says so."""
    return CheckSteps()


def _value(node: ast.expr, constants: Mapping[str, object], depth: int = 0) -> object:
    if depth > _DEEPEST:
        raise _NotPlainError(node)
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, str | int | float | bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(_value(part, constants, depth + 1) for part in parts)
        case ast.Name(id=found) if found in constants:
            return constants[found]
        case ast.Name(id=found) if found in _TYPES:
            return _TYPES[found]
        case ast.Call(args=[], keywords=keywords) if _called(node) == "Parameter":
            parts_by_name = {k.arg: _value(k.value, constants, depth + 1) for k in keywords if k.arg is not None}
            return Parameter(**parts_by_name)  # type: ignore[arg-type]  # a TypeError tells what is wrong
    raise _NotPlainError(node)


def _called(node: ast.expr) -> str:
    """Return the last part of what is called: `FaultExtension` of `harness.extensions.FaultExtension(...)`."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""


def _short(error: Exception) -> str:
    return str(error).replace("__init__()", "it").replace("FaultExtension.", "").replace("CheckExtension.", "")
