"""Which runs share a stack, and after which run it is the next one's no more."""

import signal
from pathlib import Path

import pytest

from harness.cli.asked import asked_rows, asked_target
from harness.errors import ConfigurationError, InterruptedRunError
from harness.model.journal import Event
from harness.run.interruption import Interruption
from harness.run.one_stack import end_if_broken, ended_after, one_stack
from harness.rundir import RunDirectory
from harness.target.embedded import EmbeddedTarget
from harness.target.embedded.standing import StandingTarget


class Stack:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_only_the_embedded_target_with_its_own_proxy_is_shared(tmp_path: Path) -> None:
    assert one_stack("embedded", 1, tmp_path, proxy=None) is not None
    assert one_stack("embedded", 1, tmp_path, proxy="embedded") is not None
    for name, proxy in (("embedded", "toxiproxy"), ("containers", None), ("compose", None), ("mine.yaml", None)):
        assert one_stack(name, 1, tmp_path, proxy=proxy) is None


def test_the_runs_of_a_shared_stack_test_the_same_version_as_those_of_their_own(tmp_path: Path) -> None:
    for service in ((), ("fallback=off",)):
        stack, shared = asked_target("embedded", 1, service, shared=tmp_path)
        nobody, alone = asked_target("embedded", 1, service, shared=None)
        assert stack is not None
        assert nobody is None
        assert isinstance(shared(1), StandingTarget)
        assert isinstance(alone(1), EmbeddedTarget)
        assert shared(1).offer() == alone(1).offer()


def test_a_setting_that_is_none_is_refused_before_a_stack_is_started(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SETTING=VALUE"):
        asked_target("embedded", 1, ("fallback",), shared=tmp_path)


def test_scenarios_by_name_have_a_stack_each_and_a_bundle_says_what_it_does() -> None:
    assert asked_rows(["limits", "books"], None, ())[1] is False
    assert asked_rows([], "gate", ())[1] is True
    assert asked_rows([], "full", ())[1] is False


@pytest.mark.parametrize(
    ("event", "closed"),
    [
        (Event.RUN_ENDED, 0),
        (Event.FAULT_CONFIRMED, 0),
        (Event.TROUBLE, 1),  # a fault that could not be proved clear
        (Event.FAULT_FAILED, 1),
        (Event.PROCESS_DIED, 1),
        (Event.ABORTED, 1),
        (Event.INTERRUPTED, 1),
    ],
)
def test_a_run_that_may_have_left_something_behind_is_the_last_on_its_stack(tmp_path: Path, event: Event, closed: int) -> None:
    run = RunDirectory.create(tmp_path / "run")
    run.record(Event.RUN_STARTED, "r")
    run.record(event, "x")
    stack = Stack()
    end_if_broken(stack, run, Interruption())  # type: ignore[arg-type]
    end_if_broken(None, run, Interruption())
    assert stack.closed == closed


def test_a_signal_waits_until_a_broken_stack_has_ended(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run")
    run.record(Event.TROUBLE, "x")
    with Interruption() as interruption:

        class Signalled(Stack):
            def close(self) -> None:
                signal.raise_signal(signal.SIGINT)
                self.closed += 1

        stack = Signalled()
        end_if_broken(stack, run, interruption)  # type: ignore[arg-type]
        assert stack.closed == 1
        with pytest.raises(InterruptedRunError):
            interruption.raise_if_signalled()


def test_the_stack_ends_with_the_series_whatever_ends_it() -> None:
    stack = Stack()
    with pytest.raises(InterruptedRunError), ended_after(stack, Interruption()):  # type: ignore[arg-type]
        raise InterruptedRunError(2)
    assert stack.closed == 1


@pytest.mark.parametrize(
    ("reports", "signals", "skipped"), [(True, 1, False), (True, 2, True), (False, 0, False), (False, 1, True)]
)
def test_whether_an_interrupted_run_is_still_reported(reports: bool, signals: int, skipped: bool) -> None:
    interruption = Interruption(reports=reports)
    interruption.signals += [2] * signals
    assert interruption.skip_report is skipped
