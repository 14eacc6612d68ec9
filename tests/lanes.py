"""Lanes of the suite: `make test` runs files side by side, since most of them wait for processes more than they work.

A test marked `alone` shares the machine with no other: it measures, or what it looks at cannot be had beside neighbours.
It waits until every lane has ended the test it is at, and the lanes wait for it. What is waited counts towards no time-out.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from xdist.scheduler import LoadFileScheduling


def lanes_of_this_machine() -> int:
    """Return how many tests run side by side: two more than there are processors, because they wait, and at most eight."""
    return min(len(os.sched_getaffinity(0)) + 2, 8)


def most_patient_first(items: list[pytest.Item]) -> None:
    """Put files first that begin alone, so that lanes wait for each other once, and unit tests last, to fill what is left of each."""
    begins_alone: dict[str, bool] = {}
    for item in items:
        begins_alone.setdefault(file_of(item), item.get_closest_marker("alone") is not None)
    items.sort(key=lambda item: (not begins_alone[file_of(item)], "tests/unit/" in item.nodeid))


def file_of(item: pytest.Item) -> str:
    """Return the address of a test's file."""
    return item.nodeid.partition("::")[0]


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """A file stays in one lane with what it has started, and so do all container tests, which share one stack."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/container" if nodeid.startswith("tests/container/") else super()._split_scope(nodeid)


class Turnstile:
    """One room for all lanes, which hold it together, or one of them alone; and one door, so that nobody waits for ever.

    Two files of this directory serve as the locks: nothing is written, and the kernel gives them back for a lane that dies.
    """

    def __init__(self) -> None:
        self._door: IO[bytes] = Path(__file__).open("rb")  # noqa: SIM115 - for as long as the lane lives
        self._room: IO[bytes] = Path(__file__).with_name("conftest.py").open("rb")

    @contextmanager
    def through(self, *, alone: bool) -> Iterator[None]:
        """Be in the room: with others, or alone."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        finally:
            fcntl.flock(self._door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)
