"""The first files of an extension: what it is, its tests and its page, all of which work before a word was changed."""

import keyword
import re
from importlib.resources import files
from pathlib import Path

from harness.checks import PLANNERS
from harness.errors import ConfigurationError, StorageError
from harness.extensions.declared import read_declared
from harness.model.fault_kinds import FAULT_KINDS
from harness.model.objective import Quantity

WHAT = ("fault", "check", "objective")
_NAME = re.compile(r"[a-z][a-z0-9]*([-_ ][a-z0-9]+)*")


def write_first(what: str, name: str, directory: Path) -> list[Path]:
    """Write NAME.py, test_NAME.py and NAME.md into a directory; return them. Overwrites nothing.

    Raises ConfigurationError on a name that cannot be, or is taken, and StorageError.
    """
    if _NAME.fullmatch(name) is None or len(name) > 40:
        one = "an" if what == "objective" else "a"
        raise ConfigurationError(
            f"{name!r} is no name for {one} {what}; use up to 40 lower-case letters and digits, words joined by '_' or '-'"
        )
    words, module = re.sub(r"[-_]", " ", name), re.sub(r"[- ]", "_", name)
    taken = {"fault": set(FAULT_KINDS), "check": set(PLANNERS), "objective": {str(quantity) for quantity in Quantity}}[what]
    if (module if what == "fault" else words) in taken or keyword.iskeyword(module):
        raise ConfigurationError(f"{name!r} is taken; see: harness list {what}s", advice="give yours another name")
    texts = {path: _filled(template, words, module) for path, template in _places(what, module, directory).items()}
    read_declared(texts[directory / f"{module}.py"].encode(), f"{module}.py")  # what we write, we must be able to read
    if there := [str(path) for path in texts if path.exists() or path.is_symlink()]:
        raise ConfigurationError(f"{', '.join(there)}: there already", advice="choose another name or directory")
    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(path)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise StorageError(f"cannot write {error.filename}: {error.strerror}") from error
    return written


def _places(what: str, module: str, directory: Path) -> dict[Path, str]:
    return {
        directory / f"{module}.py": f"{what}.py.txt",
        directory / f"test_{module}.py": f"test_{what}.py.txt",
        directory / f"{module}.md": f"{what}.md",
    }


def _filled(template: str, words: str, module: str) -> str:
    text = files("harness.extensions").joinpath("templates", template).read_text("utf-8")
    for place, value in {"__NAME__": module, "__WORDS__": words, "__MODULE__": module, "__CONSTANT__": module.upper()}.items():
        text = text.replace(place, value)
    return text
