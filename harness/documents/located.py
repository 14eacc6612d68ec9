"""YAML whose every value knows its line and column.

Scalars are read as YAML 1.2 reads them: only `true` and `false` are booleans, `1:30` is text, dates are text. A key
that stands twice is an error, not a silent overwrite.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import yaml

from harness.errors import ConfigurationError

Path = tuple[str | int, ...]
Plain = Mapping[str, object] | list[object] | str | int | float | bool | None

_MAX_BYTES = 1 << 20
_MAX_VALUES = 200_000
"""With what aliases repeat: a page of aliases of aliases stands for more than a machine's memory holds."""
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Located:
    """A document as plain data, and where each value stands: path to (line, column), both from 1."""

    file: str
    data: object
    positions: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def at(self, path: Path) -> str:
        """Return `file:line:col` of a value, or of the nearest thing that encloses it."""
        while path and path not in self.positions:
            path = path[:-1]
        line, column = self.positions.get(path, (1, 1))
        return f"{self.file}:{line}:{column}"


def read_small(path: FilePath) -> bytes:
    """Return what is in a file that people write. Raises ConfigurationError, also where it is larger than 1 MiB."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)  # a link may lead to what has no end
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise ConfigurationError(f"{path}: larger than 1 MiB; is this the right file?")
    return data


def read_located(path: FilePath) -> tuple[Located, bytes]:
    """Return a YAML file as located data, and its bytes. Raises ConfigurationError."""
    data = read_small(path)
    return locate(data, str(path)), data


def locate(data: bytes, file: str) -> Located:
    """Return a YAML document as located data. Raises ConfigurationError where it is no YAML."""
    try:
        root = _composed(data)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8 text (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise ConfigurationError(f"{where}: not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{file}: not valid YAML: {type(error).__name__}") from error
    located = Located(file, None)
    problems: list[str] = []
    value = None if root is None else _plain(root, (), located, problems, depth=0)
    if problems:
        raise ConfigurationError(*problems)
    return Located(file, value, located.positions)


@functools.lru_cache(maxsize=128)
def _composed(data: bytes) -> yaml.Node | None:
    """Return the nodes of a document, which nobody changes: a bundle or a gate reads one file many times, and parsing is slow."""
    root: yaml.Node | None = yaml.compose(data.decode("utf-8"), Loader=yaml.SafeLoader)
    return root


def _plain(node: yaml.Node, path: Path, located: Located, problems: list[str], depth: int) -> object:
    located.positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if len(located.positions) > _MAX_VALUES:
        raise ConfigurationError(f"{located.at(path)}: more than {_MAX_VALUES:,} values, with what its aliases repeat")
    if depth > 32:
        problems.append(f"{located.at(path)}: nested deeper than 32 levels")
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), located, problems, depth + 1) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            where = f"{located.file}:{key_node.start_mark.line + 1}:{key_node.start_mark.column + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                problems.append(f"{where}: a key must be plain text")
            elif key in mapping:
                problems.append(f"{where}: the key {key!r} stands twice")
            else:
                mapping[key] = _plain(value_node, (*path, key), located, problems, depth + 1)
        return mapping
    return _scalar(node)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    text = str(node.value)
    if getattr(node, "style", None) is not None:  # quoted or a block: always text
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text) and len(text) < 19:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
