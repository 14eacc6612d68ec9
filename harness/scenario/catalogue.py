"""Where scenarios are found: the catalogue inside the package, or a path."""

from pathlib import Path

from harness.errors import ConfigurationError, did_you_mean


def catalogue_paths() -> dict[str, Path]:
    """Return the scenarios that come with the harness: name to file."""
    here = Path(__file__).resolve().parent.parent
    for folder in (here / "catalogue", here.parent / "scenarios"):  # installed, then a checkout
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def find_scenario(name: str) -> Path:
    """Return the file that a command line names: a path, or a name of the catalogue. Raises ConfigurationError."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or "/" in name:
        if path.is_file():
            return path
        known = catalogue_paths()
        hint = f"; the catalogue has {path.stem!r}: name it without a path" if path.stem in known else ""
        raise ConfigurationError(f"{name}: no such scenario file{hint}{did_you_mean(path.stem, known)}")
    known = catalogue_paths()
    if name in known:
        return known[name]
    raise ConfigurationError(f"no scenario is called {name!r}; the catalogue has {', '.join(known)}{did_you_mean(name, known)}")


def title_of(path: Path) -> str:
    """Return a scenario's title without validating it: the first line that begins with `title:`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("title:"):
            return line.removeprefix("title:").strip().strip("'\"")
    return ""
