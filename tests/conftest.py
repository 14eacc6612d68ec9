"""What every test shares.

Hypothesis runs without a clock, since these machines are noisy and a deadline would measure them. Tests that could not
run here are told at the end, grouped by reason (container tests by name: `tests/container/conftest.py`); with `CI=true`
they are failures. Programs that tests start and interrupt must not inherit that a signal is ignored, as they would below
`nohup` or in the background of a script. How tests share the machine in lanes: `tests/lanes.py`.
"""

import os
import signal
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from lanes import ByFile, Lane, behind_the_first, lanes_of_this_machine, most_patient_first

from harness.model.fault_kinds import FAULT_KINDS

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
IN_A_LANE = "PYTEST_XDIST_WORKER" in os.environ
LANE = Lane(os.environ["PYTEST_XDIST_WORKER"], int(os.environ["PYTEST_XDIST_WORKER_COUNT"])) if IN_A_LANE else None


@pytest.fixture(autouse=True)
def _the_catalogue_as_it_was() -> Iterator[None]:
    """Kinds of faults that a test adopts from a plug-in are forgotten after it."""
    before = dict(FAULT_KINDS)
    yield
    FAULT_KINDS.clear()
    FAULT_KINDS.update(before)


def pytest_configure() -> None:
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return lanes_of_this_machine()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    if LANE is not None and isinstance(collector, pytest.Module):
        with behind_the_first(collector.path):
            return (yield)
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if LANE is not None:
        most_patient_first(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around the time-out of `pytest-timeout`
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    if LANE is not None:
        with LANE.takes(item, nextitem):
            return (yield)
    return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    by_reason: dict[str, list[str]] = defaultdict(list)
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not report.nodeid.startswith("tests/container/"):
            by_reason[reason].append(report.nodeid)
    for reason, names in sorted(by_reason.items()):
        terminalreporter.write_line(f"not run here ({len(names)}): {reason}")
        for name in names[:3]:
            terminalreporter.write_line(f"    {name}")
        if len(names) > 3:
            terminalreporter.write_line(f"    and {len(names) - 3} more")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything that a test needs is installed: one that did not run is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory for sockets, whose whole path must fit in a hundred characters wherever the suite keeps its own."""
    with tempfile.TemporaryDirectory(prefix="s", dir="/tmp") as place:
        yield Path(place)
