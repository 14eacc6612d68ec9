"""Reads every import of the house and fails on a wrong arrow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

EVERYTHING = {
    "errors", "model", "arrivals", "stats", "rundir", "documents", "scenario", "exchange", "provider", "faultproxy", "faults", "target",
    "checks", "measure", "judge", "compare", "explain", "extensions", "readiness", "report", "export", "run", "api", "cli",
}  # fmt: skip

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "arrivals": {"model"},
    "stats": set(),
    "rundir": {"model", "errors"},
    "documents": {"errors"},
    "scenario": {"model", "errors", "arrivals", "stats", "documents"},
    "exchange": {"model", "errors"},
    "load": {"model", "errors", "arrivals", "rundir", "exchange"},
    "provider": {"model", "errors"},
    "faultproxy": {"model", "errors"},
    "faults": {"model", "errors"},
    "target": {"model", "errors", "faults", "documents", "exchange"},
    "checks": {"model", "errors", "measure", "rundir", "stats"},
    "measure": {"model", "errors", "rundir", "stats"},
    "judge": {"model", "errors", "stats", "measure", "rundir", "checks"},
    "compare": {"model", "errors", "rundir", "measure", "stats"},
    "explain": {"model", "errors", "rundir", "measure"},
    "extensions": {"model", "errors", "documents", "scenario", "rundir", "faults", "checks", "measure", "judge"},
    "readiness": {"model", "errors", "rundir", "documents"},
    "report": {"model", "errors", "rundir"},
    "export": {"model", "errors", "rundir", "measure", "documents"},
    "run": EVERYTHING - {"api", "cli"},
    "api": EVERYTHING - {"cli"},
    "pytest_plugin": {"api", "errors"},
    "cli": EVERYTHING,
}
"""Which room may import which; nobody imports `load`: the conductor starts it as a process."""

GEVENT_ROOM = "load"


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _room_of(path: Path) -> str:
    return path.relative_to(ROOT / "harness").parts[0].removesuffix(".py")


def _modules() -> list[Path]:
    return [
        p
        for p in sorted((ROOT / "harness").rglob("*.py"))
        if p.parent != ROOT / "harness" or p.stem not in ("__init__", "__main__")
    ]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_the_rooms_it_may(path: Path) -> None:
    room = _room_of(path)
    assert room in MAY_IMPORT, f"a new room, {room}: give it a row in this table and in ARCHITECTURE.md"
    entered = {
        name.split(".")[1]
        for name in _imports(path)
        if name.startswith("harness.") and (ROOT / "harness" / name.split(".")[1]).exists()
    }
    entered |= {
        name.split(".")[1]
        for name in _imports(path)
        if name.startswith("harness.") and (ROOT / "harness" / f"{name.split('.')[1]}.py").exists()
    }
    assert entered - {room} <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_gevent_and_locust_stay_in_the_load_room(path: Path) -> None:
    foreign = {name.split(".")[0] for name in _imports(path)} & {"gevent", "locust"}
    assert not foreign or _room_of(path) == GEVENT_ROOM


def test_the_nouns_need_the_standard_library_only() -> None:
    for path in sorted((ROOT / "harness" / "model").rglob("*.py")):
        tops = {name.split(".")[0] for name in _imports(path)}
        assert tops <= set(sys.stdlib_module_names) | {"harness"}, path


def test_the_reference_service_knows_nothing_of_the_harness() -> None:
    for path in sorted((ROOT / "reference_service").rglob("*.py")):
        assert not any(name.split(".")[0] == "harness" for name in _imports(path)), path


def test_toxiproxy_python_is_imported_in_one_module() -> None:
    users = [path for path in _modules() if any(name.split(".")[0] == "toxiproxy" for name in _imports(path))]
    assert len(users) == 1


def test_the_command_line_starts_without_gevent_or_the_heavy_libraries() -> None:
    code = "import sys, harness.cli; print([m for m in ('gevent', 'locust', 'pandas', 'matplotlib', 'scipy', 'pyarrow') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_the_table_in_the_architecture_document_names_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for room in MAY_IMPORT:
        assert f"`harness/{room}" in text, room
