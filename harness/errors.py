"""Everything that can stop the harness, and the exit code that each leaves.

    HarnessError               5  could not run (the root; a bare one is our own trouble)
    ├── ConfigurationError     2  a file, a flag or a name that the user can mend
    │   └── NotOfferedError    2  a sound scenario that this target has nothing for; of a bundle it is left out by name
    ├── StackError             5  the system under test did not start, or died under us
    ├── StorageError           5  the disk is full or a path cannot be written
    ├── FaultError             5  a fault could not be applied, confirmed, cleared or proved clear
    ├── LoadError              5  the load generator did not start, or died under us
    ├── RunDirectoryError      5  a run directory that cannot be read
    ├── AbortedError           6  an abort condition, `harness halt`, or a no-go
    └── InterruptedRunError  130  SIGINT (143 for SIGTERM)

A failed objective is a verdict, never an exception; an exception never leaves exit code 1.
"""

import enum
from collections.abc import Iterable
from difflib import get_close_matches


class ExitCode(enum.IntEnum):
    """What a pipeline reads. Source: the table of commands in `README.md`."""

    PASS = 0
    FAIL = 1
    CONFIGURATION = 2
    INCONCLUSIVE = 3
    INVALID = 4
    COULD_NOT_RUN = 5
    ABORTED = 6
    SIGINT = 130
    SIGTERM = 143


class HarnessError(Exception):
    """The root of the tree.

    message: one sentence that says what happened and where.
    advice: what to do about it, or None where nothing is known to help.
    """

    exit_code: ExitCode = ExitCode.COULD_NOT_RUN

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return self.message if self.advice is None else f"{self.message}\n  {self.advice}"


class ConfigurationError(HarnessError):
    """A file, flag or name that the user can mend.

    problems: every problem found, each already written as `file:line:col: what; allowed; did you mean`.
    """

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, *problems: str, advice: str | None = None) -> None:
        super().__init__("\n".join(problems), advice=advice)
        self.problems = problems


class NotOfferedError(ConfigurationError):
    """A sound scenario asks for what the target does not offer, and for nothing else that is wrong."""


class StackError(HarnessError):
    """The system under test did not start, or died under us."""


class StorageError(HarnessError):
    """The disk is full, or a path cannot be written."""


class FaultError(HarnessError):
    """A fault could not be applied, confirmed, cleared or proved clear."""


class LoadError(HarnessError):
    """The load generator did not start, or died under us."""


class RunDirectoryError(HarnessError):
    """A run directory that is missing, cut short, edited or from a later version."""


class AbortedError(HarnessError):
    """An abort condition, `harness halt`, or a no-go ended the run."""

    exit_code = ExitCode.ABORTED


class InterruptedRunError(HarnessError):
    """A signal ended the run. signal_number: 2 (SIGINT) or 15 (SIGTERM)."""

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted" if signal_number == 2 else "terminated")
        self.exit_code = ExitCode.SIGINT if signal_number == 2 else ExitCode.SIGTERM


def did_you_mean(given: str, allowed: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest allowed name, or an empty string."""
    nearest = get_close_matches(given, list(allowed), n=1, cutoff=0.6)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
