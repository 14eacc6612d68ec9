"""Signals end a run once, and never in the middle of healing."""

import os
import signal

import pytest

from harness.errors import AbortedError, InterruptedRunError
from harness.run.interruption import Interruption


def _signal_ourselves(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    signal.pause()


def test_the_first_signal_raises_and_names_its_exit_code() -> None:
    with Interruption(), pytest.raises(InterruptedRunError) as caught:
        _signal_ourselves(signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_a_signal_while_healing_waits_until_it_is_done() -> None:
    with Interruption() as interruption:
        healed = False
        with interruption.shielded():
            os.kill(os.getpid(), signal.SIGINT)
            healed = True
        assert healed
        with pytest.raises(InterruptedRunError) as caught:
            interruption.raise_if_signalled()
    assert caught.value.exit_code == 130
    assert not interruption.skip_report


def test_a_second_signal_skips_the_report_but_raises_nothing() -> None:
    with Interruption() as interruption:
        with pytest.raises(InterruptedRunError):
            _signal_ourselves(signal.SIGINT)
        with interruption.shielded():
            os.kill(os.getpid(), signal.SIGINT)
        assert interruption.skip_report


def test_the_handlers_of_the_caller_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interruption():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


def test_a_deadline_ends_what_runs_and_waits_for_healing() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Interruption() as interruption:
        interruption.end_after(0.01, "9m")
        with pytest.raises(AbortedError, match="the deadline of 9m has passed"):
            signal.pause()
    with Interruption() as interruption, interruption.shielded():
        interruption.end_after(0.01, "9m")
        signal.pause()
        assert interruption.late == "the deadline of 9m has passed"
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
