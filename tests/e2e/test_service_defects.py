"""Every planted defect is caught: the same check passes on the healthy service and fails on the broken one."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forge import popen, run
from service_bench import Users, bench
from service_checks_answers import ANSWER_CHECKS
from service_checks_messages import MESSAGE_CHECKS
from service_checks_operations import OPERATION_CHECKS
from service_checks_spend import SPEND_CHECKS
from service_stack import Instance, Stack, running_stack

from reference_service.defects import DEFECTS

MEASURED = {"screen-blocks-the-loop"}
CHECKS = {**SPEND_CHECKS, **ANSWER_CHECKS, **MESSAGE_CHECKS, **OPERATION_CHECKS}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack(quick=True) as running:
        yield running


@pytest.fixture(scope="module")
def users(stack: Stack) -> Users:
    return Users(stack)


@pytest.fixture(scope="module")
def healthy(stack: Stack) -> Iterator[Instance]:
    """The healthy service with its own defaults, for every check that minds no other check's traces."""
    with stack.instance() as instance:
        yield instance


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.alone) if name in MEASURED else name for name in sorted(CHECKS)]
)
def test_the_defect_fails_a_check_that_the_healthy_service_passes(stack: Stack, users: Users, healthy: Instance, name: str):
    check, settings = CHECKS[name]
    # The broken one first: what it leaves behind may not be why the healthy one passes or fails.
    with bench(stack, users, **settings, defect=name, under_test="yes") as broken:
        assert broken.service.client.get("/live").headers["x-gateway-defect"] == name
        with pytest.raises(AssertionError):
            check(broken)
    with bench(stack, users, running=None if settings else healthy, **settings) as sound:
        check(sound)


def test_every_planted_defect_has_its_check_and_its_file():
    folder = Path(__file__).parents[2]
    files = {path.name for path in (folder / "reference_service" / "defects").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {defect.file for defect in DEFECTS.values()} == files
    assert len(files) == len(DEFECTS)
    assert CHECKS.keys() == DEFECTS.keys()


def test_a_defect_says_so_everywhere(stack: Stack):
    with stack.instance(defect="done-missing", under_test="yes") as service:
        ready = service.client.get("/ready")
        assert (ready.json()["defect"], ready.headers["x-gateway-defect"]) == ("done-missing", "done-missing")
        lines = service.process.log_lines()
    assert lines[0]["event"] == "planted_defect"
    assert {line["defect"] for line in lines} == {"done-missing"}
    with stack.instance() as healthy:
        assert "x-gateway-defect" not in healthy.client.get("/ready").headers


@pytest.mark.parametrize(
    ("settings", "said", "start"),
    [
        ({"defect": "done-missing"}, "SERVICE_UNDER_TEST=yes", subprocess.Popen),
        ({"defect": "done-missing", "under_test": "true"}, "SERVICE_UNDER_TEST=yes", popen),
        ({"defect": "done-mising", "under_test": "yes"}, "not a planted defect", popen),
    ],
)
@pytest.mark.parametrize("program", ["serve", "worker"])
def test_it_refuses_to_start_with_a_defect_unless_it_is_under_test(
    stack: Stack, program: str, settings: dict[str, str], said: str, start: "Callable[..., subprocess.Popen[str]]"
):
    command = [sys.executable, "-m", f"reference_service.{program}"]
    done = run(command, env=stack.environment(**settings), timeout_s=20, start=start)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
