"""Extensions of installed packages, by entry point: one is loaded only when a scenario uses its name."""

from importlib.metadata import EntryPoint, entry_points

from harness.errors import ConfigurationError
from harness.extensions.kinds import CheckExtension, Extension, FaultExtension, ObjectiveExtension

GROUPS: dict[str, type[Extension]] = {
    "harness.faults": FaultExtension,
    "harness.checks": CheckExtension,
    "harness.objectives": ObjectiveExtension,
}


def installed(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name; of two of the same name the first. Loads none."""
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        found.setdefault(point.name, point)
    return found


def load_installed(group: str, point: EntryPoint) -> Extension:
    """Return the extension behind an entry point. Raises ConfigurationError that says which package to mend."""
    where = f"entry point {group}:{point.name} of {source_of(point)}"
    wanted = GROUPS[group]
    try:
        extension = point.load()
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"{where}: loading {point.value} raised {type(error).__name__}: {error}",
            advice="mend or uninstall the package, or take the name out of the scenario",
        ) from error
    if not isinstance(extension, wanted):
        raise ConfigurationError(f"{where}: {point.value} is a {type(extension).__name__}; the group takes a {wanted.__name__}")
    if extension.name != point.name:
        raise ConfigurationError(f"{where}: it calls itself {extension.name!r}; the two names must be the same")
    return extension


def source_of(point: EntryPoint) -> str:
    """Return the package and version of an entry point."""
    return "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
