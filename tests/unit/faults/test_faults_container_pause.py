"""The kernel may refuse to freeze a busy container once: it is asked again, a few times, and no other answer is."""

import pytest

from harness.errors import FaultError
from harness.faults import container
from harness.faults.engine import EngineError
from harness.model.fault import Fault

FREEZE = Fault(id="f1", at="processes.postgres", kind="freeze", phase="without", apply_ns=0, clear_ns=1)


class Engine:
    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def ask(self, method: str, path: str) -> None:
        self.asked.append(f"{method} {path}")
        if (status := self.answers.pop(0)) is not None:
            raise EngineError("unable to freeze", status=status)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container.time, "sleep", lambda _: None)


@pytest.mark.parametrize("answers", [(None,), (500, None), (500, 500, None)])
def test_a_refusal_of_the_moment_is_asked_again(answers: tuple[int | None, ...]):
    engine = Engine(*answers)
    container._pause(FREEZE, engine, "/containers/x")
    assert engine.asked == ["POST /containers/x/pause"] * len(answers)


@pytest.mark.parametrize(("answers", "asked"), [((500,) * 3, 3), ((404,), 1), ((409,), 1)])
def test_one_that_lasts_is_told_with_the_fault_and_its_place(answers: tuple[int, ...], asked: int):
    engine = Engine(*answers)
    with pytest.raises(FaultError, match=r"f1: freeze at processes.postgres: unable to freeze"):
        container._pause(FREEZE, engine, "/containers/x")
    assert len(engine.asked) == asked
