"""Write the lock of each image: the packages it needs, cut out of requirements.txt with their pins and hashes.

`python deploy/docker/lock.py`, in an environment that has the project's packages installed, since their metadata says who
needs whom. A test fails when a lock no longer agrees with requirements.txt.
"""

import importlib.metadata
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
IMAGES = {
    "service": (
        "aiohttp",
        "async-timeout",
        "asyncpg",
        "cryptography",
        "httptools",
        "msgspec",
        "openfeature-sdk",
        "pgqueuer",
        "prometheus-client",
        "pydantic",
        "redis",
        "starlette",
        "uvicorn",
        "uvloop",
    ),
    "provider": ("httptools", "msgspec", "uvloop"),
}
"""What each image's programs import. The harness itself needs all that pyproject.toml names."""

HEADER = "# Cut out of requirements.txt by deploy/docker/lock.py; do not edit.\n"


def normal(name: str) -> str:
    """Return a package name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(text: str) -> dict[str, str]:
    """Return each pinned package of a lock with its lines, comments left out."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            name = normal(re.split(r"[=\[; ]", line)[0])
            found[name] = line + "\n"
        elif line.strip().startswith("--hash") and name:
            found[name] += line + "\n"
    return found


def closure(names: tuple[str, ...], pinned: dict[str, str]) -> set[str]:
    """Return the packages and all that they need, by the metadata of what is installed here."""
    wanted: set[str] = set()
    waiting = [normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in wanted or name not in pinned:
            continue
        wanted.add(name)
        for need in needs_of(name):
            requirement, _, marker = need.partition(";")
            if "extra" not in marker:
                waiting.append(normal(re.split(r"[\s<>=!~\[(]", requirement.strip())[0]))
    return wanted


def needs_of(name: str) -> list[str]:
    """Return what a package asks for; nothing where it is pinned for another Python than this one."""
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def own_needs() -> tuple[str, ...]:
    """Return what the project itself needs, without its extras."""
    needs = importlib.metadata.requires("llm-harness") or ()
    return tuple(re.split(r"[\s<>=!~\[(;]", need)[0] for need in needs if "extra" not in need)


def main() -> None:
    """Write the locks."""
    pinned = entries((HERE.parent.parent / "requirements.txt").read_text(encoding="utf-8"))
    for image, names in {**IMAGES, "harness": own_needs()}.items():
        lines = [pinned[name] for name in sorted(closure(names, pinned))]
        (HERE / "locks" / f"{image}.txt").write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
