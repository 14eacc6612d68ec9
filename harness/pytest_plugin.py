"""Scenarios and faults in a team's own tests, by pytest.

    @pytest.mark.harness(scenario="provider-outage", target="gateway.yaml")
    def test_users_do_not_notice(harness_run):
        assert harness_run.verdict.spend_usd < 1

A marked test runs its scenario first. One that could not be run is an *error* of the test, with the reason; one whose
verdict is fail, inconclusive or invalid *fails* it, with the reason of each result; only a pass or a warning lets the
test's own body speak. Nothing is ever skipped: what was not shown is not passed over.

Fixtures: `harness_stack` (the embedded stack, or `--harness-target`, once a session), `harness_provider` (the simulated
provider alone, once a session, forgotten before each test), `harness_fault` (a fault until the end of the test).
Loaded by every pytest where harness is installed: it imports the rest when a test asks for it.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.api import Provider, RunResult, Stack
    from harness.api.breaking import ActiveFault

_MARK = "harness"
_ARGUMENTS = ("scenario", "target", "seed", "overrides", "service", "allow", "labels", "workers")


class HarnessWarning(UserWarning):
    """A run whose verdict is a warning."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("harness", "load testing and chaos verification")
    group.addoption(
        "--harness-target",
        default="embedded",
        metavar="TARGET",
        help="what marked tests and harness_stack test: embedded (default), containers, compose, or a FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers", f"{_MARK}(scenario, {', '.join(f'{name}=...' for name in _ARGUMENTS[1:])}): run the scenario before the test"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let every marked test have its run, whether it asks for it by name or not."""
    if isinstance(item, pytest.Function) and item.get_closest_marker(_MARK) and "harness_run" not in item.fixturenames:
        item.fixturenames.insert(0, "harness_run")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Fail a marked test whose scenario did not pass, before its body."""
    if pyfuncitem.get_closest_marker(_MARK):
        _judge(pyfuncitem.funcargs["harness_run"])
    return (yield)


@pytest.fixture
def harness_run(request: pytest.FixtureRequest) -> "RunResult":
    """The run of the test's mark: `verdict`, `run` (its directory), `reports`."""
    from harness import api
    from harness.errors import HarnessError

    mark = request.node.get_closest_marker(_MARK)
    if mark is None:
        raise pytest.UsageError("harness_run needs a mark: @pytest.mark.harness(scenario=...)")
    given = dict(zip(_ARGUMENTS, mark.args, strict=False)) | mark.kwargs
    if unknown := sorted(given.keys() - set(_ARGUMENTS)):
        raise pytest.UsageError(f"@pytest.mark.harness does not know {', '.join(unknown)}; it takes {', '.join(_ARGUMENTS)}")
    if "scenario" not in given:
        raise pytest.UsageError("@pytest.mark.harness needs a scenario: a file, or a name of `harness list scenarios`")
    given.setdefault("target", request.config.getoption("--harness-target"))
    try:
        result = api.run(given.pop("scenario"), **given)
    except HarnessError as error:
        pytest.fail(f"the scenario could not be run: {error}", pytrace=False)
    if result.trouble is not None:
        pytest.fail(f"the scenario could not be run: {result.trouble}\n{_where(result)}", pytrace=False)
    return result


@pytest.fixture(scope="session")
def harness_stack(request: pytest.FixtureRequest) -> Iterator["Stack"]:
    """A running target: `base_url`, `keys`, `calls()`, `fault(at, kind, ...)`."""
    from harness import api

    with api.stack(request.config.getoption("--harness-target")) as stack:
        yield stack


@pytest.fixture(scope="session")
def _harness_provider() -> Iterator["Provider"]:
    from harness import api

    with api.provider() as provider:
        yield provider


@pytest.fixture
def harness_provider(_harness_provider: "Provider") -> "Provider":
    """The simulated provider, with no call in its books: `primary`, `secondary`, `calls()`, `fault(kind, ...)`."""
    _harness_provider.reset()
    return _harness_provider


@pytest.fixture
def harness_fault(harness_stack: "Stack") -> Iterator[Callable[..., "ActiveFault"]]:
    """`harness_fault("redis", "latency", latency=800)`: in force on `harness_stack` until the test ends."""
    with contextlib.ExitStack() as ends:
        yield lambda at, kind, **parameters: ends.enter_context(harness_stack.fault(at, kind, **parameters))


def _judge(result: Any) -> None:
    """Fail unless the run passed; warn where it warned."""
    verdict = result.verdict
    lines = [f"{each.id} in {each.phase or 'the run'}: {each.reason}" for each in verdict.results if each.status.value != "pass"]
    told = "\n  ".join([f"{verdict.scenario.name}: {verdict.verdict.value.upper()}", *lines, _where(result)])
    match verdict.verdict.value:
        case "pass":
            return
        case "warn":
            warnings.warn(HarnessWarning(told), stacklevel=2)
        case _:
            pytest.fail(told, pytrace=False)


def _where(result: Any) -> str:
    reports = [path for path in result.reports if path.suffix == ".html"]
    return f"report: {reports[0]}" if reports else f"run directory: {result.run.path}"
