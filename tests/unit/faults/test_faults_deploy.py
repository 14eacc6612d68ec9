"""Deploys that go wrong: what was started is ended, and what cannot be proved is said."""

from collections.abc import Callable

import pytest

from harness.errors import FaultError, StackError
from harness.faults.deploy import DeployBackend
from harness.faults.process import ProcessBackend
from harness.model.fault import Fault


class Site:
    """A service of two instances, and another version that does as it is told. done: what was asked, in order."""

    instances = ("service-a", "service-b")

    def __init__(
        self, *, starts: bool = True, answers: Callable[[int], str] = lambda _: "service-other", ends: bool = True
    ) -> None:
        self.done: list[str] = []
        self._starts, self._answers, self._ends = starts, answers, ends
        self._asked = self._percent = 0

    def start(self, *, version: str, defect: str | None) -> None:
        self.done.append(f"start {version} {defect}")
        if not self._starts:
            raise StackError("it said no")

    def shift(self, percent: int) -> None:
        self.done.append(f"shift {percent}")
        self._percent = percent if percent or self._ends else self._percent

    def percent(self) -> int:
        return self._percent

    def answering(self) -> str:
        self._asked += 1
        return self._answers(self._asked) if self._percent else "ab"[self._asked % 2]

    def answered(self) -> int:
        return 7

    def end(self) -> None:
        self.done.append("end")


def backend(site: Site, cycle: Callable[[Fault, str, float], None] | None = None) -> DeployBackend:
    processes = ProcessBackend({})
    if cycle is not None:
        processes.cycle = lambda fault, name, *, within_s: cycle(fault, name, within_s)  # type: ignore[method-assign]
    return DeployBackend(site, processes)


def fault(kind: str, **parameters) -> Fault:
    return Fault(id="f", at="deploys.service", kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)


def test_a_switch_is_seen_counted_and_taken_back_before_the_other_version_ends():
    site = Site()
    deploys, switch = backend(site), fault("blue_green", version="2", defect="x")
    deploys.apply(switch)
    deploys.confirm(switch)
    assert deploys.in_force(switch)
    deploys.clear(switch)
    deploys.prove_clear(switch)
    assert site.done == ["start 2 x", "shift 100", "shift 0", "end"]
    acted = deploys.acted(switch)
    assert acted is not None
    assert acted.count == 7
    assert deploys.acted(switch) is None


def test_a_version_that_does_not_start_is_ended_all_the_same():
    site = Site(starts=False)
    deploys, switch = backend(site), fault("canary")
    with pytest.raises(FaultError, match="f: it said no"):
        deploys.apply(switch)
    deploys.clear(switch)
    deploys.prove_clear(switch)
    assert site.done == ["start next None", "shift 0", "end"]


def test_a_canary_is_looked_for_until_a_miss_would_be_a_wonder():
    late = Site(answers=lambda asked: "service-other" if asked == 200 else "a")
    backend(late).apply(fault("canary"))
    backend(late).confirm(fault("canary"))
    never = Site(answers=lambda _: "b")
    deploys = backend(never)
    deploys.apply(fault("canary"))
    with pytest.raises(FaultError, match="270 requests through the balancer met the present version only"):
        deploys.confirm(fault("canary"))


def test_a_version_that_still_answers_is_not_proved_clear():
    deploys = backend(Site(ends=False))
    deploys.apply(fault("blue_green"))
    deploys.clear(fault("blue_green"))
    with pytest.raises(FaultError, match="still answers") as caught:
        deploys.prove_clear(fault("blue_green"))
    assert caught.value.advice == "by hand: start the target again"


def test_a_rolling_restart_replaces_one_after_the_other_and_counts():
    cycled = []
    deploys = backend(Site(), lambda _, name, within_s: cycled.append((name, within_s)))
    rolling = fault("rolling_restart", pause=0, within=3000)
    deploys.apply(rolling)
    assert cycled[0] == ("service-a", 3.0)
    deploys.clear(rolling)
    deploys.prove_clear(rolling)
    assert cycled == [("service-a", 3.0), ("service-b", 3.0)]
    acted = deploys.acted(rolling)
    assert acted is not None
    assert acted.count == 2


@pytest.mark.parametrize("broken", ["service-a", "service-b"])
def test_an_instance_that_does_not_come_back_is_never_proved_clear(broken):
    def cycle(_: Fault, name: str, within_s: float) -> None:
        if name == broken:
            raise FaultError(f"{name} did not start again after {within_s:g} s")

    deploys, rolling = backend(Site(), cycle), fault("rolling_restart", pause=0)
    if broken == "service-a":
        with pytest.raises(FaultError, match="service-a did not start again"):
            deploys.apply(rolling)
    else:
        deploys.apply(rolling)
    deploys.clear(rolling)
    assert not deploys.in_force(rolling)
    with pytest.raises(FaultError, match=f"{broken} did not start again"):
        deploys.prove_clear(rolling)


def test_an_instance_to_which_the_balancer_sends_nobody_stops_the_rolling_restart(monkeypatch):
    monkeypatch.setattr("harness.faults.deploy._BACK_WITHIN_S", 0.05)
    cycled = []
    site = Site()
    site.answering = lambda: "b"  # type: ignore[method-assign]
    deploys = backend(site, lambda _, name, within_s: cycled.append(name))
    with pytest.raises(FaultError, match="service-a is ready again, and the balancer has sent nobody to it"):
        deploys.apply(fault("rolling_restart", pause=0))
    assert cycled == ["service-a"], "the other one is left alone"
