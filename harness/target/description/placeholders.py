"""`${env:X}` and `${file:PATH}`: the only way for a secret into a description. Read once, masked wherever it could show."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

_REFERENCE = re.compile(r"\$\{([^{}]*)\}")


class Placeholders:
    """Fills `${...}` in texts. What came from a secret source, and what is told by `keep`, is remembered for masking.

    values: names that are known now, `provider.primary.url`. folder: what a relative `${file:...}` starts from.
    """

    def __init__(
        self, *, folder: Path, environment: Mapping[str, str] | None = None, values: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._environment = os.environ if environment is None else environment
        self._values = dict(values or {})
        self.secrets: set[str] = set()

    def know(self, **values: str) -> None:
        """Add values for names, dots written as they are."""
        self._values.update(values)

    def know_all(self, values: Mapping[str, str]) -> None:
        """Add values for names."""
        self._values.update(values)

    def keep(self, secret: str) -> None:
        """Remember one more secret."""
        self.secrets.add(secret)

    def fill(self, text: str, extra: Mapping[str, str] | None = None) -> str:
        """Return the text with every `${...}` replaced. Raises ValueError that names what cannot be."""
        return _REFERENCE.sub(lambda match: self._value(match[1], extra or {}), text)

    def fill_body(self, value: object, extra: Mapping[str, object]) -> object:
        """Return a JSON body with every `${...}` replaced; a text that is one placeholder becomes its value's own type."""
        if isinstance(value, dict):
            return {key: self.fill_body(part, extra) for key, part in value.items()}
        if isinstance(value, list):
            return [self.fill_body(part, extra) for part in value]
        if isinstance(value, str):
            whole = _REFERENCE.fullmatch(value)
            if whole is not None and whole[1] in extra:
                return extra[whole[1]]
            return self.fill(value, {name: str(part) for name, part in extra.items()})
        return value

    def _value(self, name: str, extra: Mapping[str, str]) -> str:
        if name in extra:
            return extra[name]
        if name in self._values:
            return self._values[name]
        kind, colon, rest = name.partition(":")
        if colon and kind == "env":
            if rest not in self._environment:
                raise ValueError(f"${{{name}}}: the environment has no variable {rest}")
            return self._secret(self._environment[rest])
        if colon and kind == "file":
            try:
                return self._secret((self._folder / rest).expanduser().read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"${{{name}}}: cannot be read: {type(error).__name__}") from None
        raise ValueError(f"${{{name}}} is not known here")

    def _secret(self, text: str) -> str:
        if len(text) >= 4:  # a shorter one would mask half the words of a log
            self.secrets.add(text)
        return text


def references(text: str) -> list[str]:
    """Return the names inside every `${...}` of a text."""
    return _REFERENCE.findall(text)


def each_text(value: object, path: tuple[str | int, ...], visit: Callable[[tuple[str | int, ...], str], None]) -> None:
    """Call `visit` with the path of every text in a document."""
    if isinstance(value, dict):
        for key, part in value.items():
            each_text(part, (*path, key), visit)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            each_text(part, (*path, index), visit)
    elif isinstance(value, str):
        visit(path, value)
