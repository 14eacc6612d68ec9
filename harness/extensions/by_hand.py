"""Kinds of faults of plug-ins, made known without a scenario: for a hand on what is live, and for programs."""

from collections.abc import Iterable
from pathlib import Path

from harness.errors import ConfigurationError
from harness.extensions.found import plugin_of_file
from harness.extensions.installed import installed, load_installed, source_of
from harness.extensions.kinds import FaultExtension
from harness.model.fault import FaultKind
from harness.model.fault_kinds import FAULT_KINDS, adopt


def adopt_files(paths: Iterable[Path], *, imports: bool) -> tuple[str, ...]:
    """Make the faults of plug-in files known to this process; return each file with its digest. Raises ConfigurationError.

    imports: run the files; else they are read only, and what they bring can be checked and not applied.
    """
    told = []
    for path in paths:
        whole = path.resolve()
        found, reference = plugin_of_file(whole.parent, whole.name, imports=imports)
        kinds = [each.specification(str(whole)) for each in found if isinstance(each, FaultExtension)]
        if not kinds:
            raise ConfigurationError(f"{path}: it declares no fault", advice="harness new fault NAME writes a first one")
        adopt(kinds)
        told.append(f"{whole} (sha256 {reference.digest})")
    return tuple(told)


def adopt_installed(kind: str) -> None:
    """Make a kind of an installed package known, where nobody knows it yet; nothing where no package has it.

    Raises ConfigurationError where the package is broken.
    """
    if kind in FAULT_KINDS or (point := installed("harness.faults").get(kind)) is None:
        return
    extension = load_installed("harness.faults", point)
    assert isinstance(extension, FaultExtension)
    adopt([extension.specification(source_of(point))])


def of_plugins() -> list[FaultKind]:
    """Return the kinds that plug-ins have brought to this process."""
    return [kind for kind in FAULT_KINDS.values() if kind.source is not None]
