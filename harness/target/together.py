"""Steps of a stack's start that run side by side."""

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

from harness.target.embedded.site import GivenUpError

T = TypeVar("T")


class GivesUp(Protocol):
    """A place where steps wait for something."""

    def give_up(self) -> None:
        """Let everyone who waits here stop waiting."""


class Together:
    """Steps that run side by side; the first that fails ends the others' waiting and is the one that is told."""

    def __init__(self, site: GivesUp) -> None:
        self._site = site
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="stack")
        self._steps: list[Future[object]] = []

    def __enter__(self) -> "Together":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._site.give_up()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def do(self, step: Callable[[], T]) -> "Future[T]":
        """Begin a step."""
        future = self._pool.submit(step)
        self._steps.append(future)  # type: ignore[arg-type]
        return future

    def wait(self) -> None:
        """Wait for all steps. Raises what the first one to fail raised."""
        _, pending = wait(self._steps, return_when=FIRST_EXCEPTION)
        if pending:
            self._site.give_up()
        wait(self._steps)
        failures = [error for step in self._steps if (error := step.exception()) is not None]
        for failure in sorted(failures, key=lambda failure: isinstance(failure, GivenUpError)):
            raise failure
