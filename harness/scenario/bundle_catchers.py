"""What a bundle catches: what its scenarios do as it has them, and those that stand for others what these do."""

from dataclasses import replace

from harness.scenario.bundles import Bundle, Bundled
from harness.scenario.catchers import CATCHERS, Catcher


def catchers_of(bundle: Bundle) -> tuple[Catcher, ...]:
    """Return who must catch what when a bundle runs, each defect once, in the order of its scenarios.

    A scenario that stands for others has their results under the same ids. What takes a setting of the service is left
    out: a bundle runs what ships.
    """
    found: dict[str, Catcher] = {}
    for row in bundle.rows:
        for catcher in CATCHERS:
            if (held := _held(row, catcher)) is not None:
                found.setdefault(catcher.defect, held)
    return tuple(found.values())


def _held(row: Bundled, catcher: Catcher) -> Catcher | None:
    overrides = tuple(row.file.overrides)
    name = row.file.document.name
    if catcher.settings:
        return None
    if catcher.scenario in {part.document.name for part in row.parts}:
        return replace(catcher, scenario=name, overrides=overrides)
    return catcher if (catcher.scenario, catcher.overrides) == (name, overrides) else None
