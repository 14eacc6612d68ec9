"""`.ci/shortened.py`: every scenario of the catalogue, made short, can still be run where CI runs it."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from harness.scenario import find_scenario, read_scenario
from harness.scenario.catalogue import catalogue_paths
from harness.target.compose import ComposeTarget
from harness.target.containers import ContainersTarget

FILE = Path(__file__).parents[3] / ".ci" / "shortened.py"
spec = importlib.util.spec_from_file_location("ci_shortened", FILE)
assert spec is not None
assert spec.loader is not None
ci = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ci)
CONTAINERS = ContainersTarget().offer()


def seconds(name: str, settings: list[str]) -> float:
    return sum(phase.for_ for phase in read_scenario(find_scenario(name), settings).document.phases) / 1e9


@pytest.mark.parametrize("name", catalogue_paths())
def test_a_short_scenario_can_be_run_on_containers_and_is_not_longer(name: str):
    assert ci.offered(name, CONTAINERS)
    settings = ci.shortened(name, CONTAINERS)
    assert ci.plans(name, settings, CONTAINERS)
    assert seconds(name, settings) <= seconds(name, [])


def test_what_a_check_needs_of_its_phase_stays_and_what_nobody_needs_goes():
    assert ci.shortened("canary-good", CONTAINERS) == []
    assert ci.shortened("backup-drill", CONTAINERS) == ["phases.steady.for=12s"]
    assert "phases.steady.for=12s" not in ci.shortened("worker-killed", CONTAINERS)
    assert ci.shortened("alerts", CONTAINERS) == ["phases.steady.for=12s"]  # in the other one an alert fires
    assert ci.shortened("provider-outage", CONTAINERS) == [f"phases.{name}.for=12s" for name in ("steady", "outage", "recovery")]


def test_shortening_below_what_a_check_needs_would_be_seen():
    assert not ci.plans("canary-good", ["phases.canary.for=12s"], CONTAINERS)
    assert not ci.plans("backup-drill", ["phases.drill.for=12s"], CONTAINERS)


def test_what_compose_offers_is_asked_of_compose():
    offer = ComposeTarget().offer()
    assert ci.plans("provider-outage", ci.shortened("provider-outage", offer), offer)


def test_a_walk_through_the_catalogue_says_a_line_each_and_goes_on_after_one_that_failed(tmp_path: Path):
    (tmp_path / ".ci").mkdir()
    walk = tmp_path / ".ci" / "scenario"
    walk.write_text((FILE.parent / "scenario").read_text())
    walk.chmod(0o755)
    (tmp_path / "scenarios").mkdir()
    for name in ("a-fails", "b-hangs", "c-passes", "d-refused"):
        (tmp_path / "scenarios" / f"{name}.yaml").write_text("")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text("#!/bin/sh\n")
    # Through `nice -n -10 harness run scenarios/NAME.yaml ...`; an ordinary user's `nice` warns and runs it all the same.
    (programs / "harness").write_text(
        '#!/bin/sh\ncase "$2" in *fails*) echo why; exit 1 ;; *hangs*) trap "kill \\$!; echo cleaned up; exit 143" TERM; sleep 30 & wait ;; *refused*) exit 2 ;; esac\n'
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    again = tmp_path / "again"
    done = subprocess.run(
        [walk, "containers", "--all", again], env={"PATH": "/usr/bin:/bin", "BOUND_S": "1"}, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    told = [line.split() for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [(line[0], line[3]) for line in told] == [
        ("fail", "a-fails"),
        ("late", "b-hangs"),
        ("pass", "c-passes"),
        ("refused", "d-refused"),
    ]
    assert "    why" in done.stdout
    assert "    cleaned up" in done.stdout  # the line waited for the end of the run that was late
    assert done.returncode == 1
    assert again.read_text().count("a-fails") == 2
