"""The user's own faults: commands that apply, confirm, clear and prove clear, each ended in time."""

import subprocess
from collections.abc import Mapping, Sequence

from harness.errors import FaultError
from harness.faults.guardian.undo import CommandStep, UndoStep
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.target import CommandFault

_SAID = 200


class CommandBackend:
    """Faults by commands of the target's description. See `Backend`.

    A command that ends with 0 says yes. `confirm` and `prove` are asked from outside; `acted`, where there is one, prints a
    number.
    """

    def __init__(self, commands: Mapping[str, CommandFault]) -> None:
        self._commands = commands
        self._before: dict[str, int | None] = {}

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return the clearing command, for the guardian: these faults have the lease that it gives them."""
        mine = self._mine(fault)
        return (CommandStep(command=mine.clear, within_s=mine.within_s),)

    def apply(self, fault: Fault) -> None:
        """Run the command that applies it, once the one that proves it away has said so."""
        mine = self._mine(fault)
        code, said = run(mine.prove, mine.within_s)
        if code != 0:
            raise FaultError(f"{fault.id}: {fault.at} is in force before it is applied: {_shown(mine.prove)} says {code} {said}")
        self._before[fault.id] = _number(mine)
        self._must(fault, mine.apply, mine)

    def confirm(self, fault: Fault) -> None:
        """Have it confirmed."""
        mine = self._mine(fault)
        self._must(fault, mine.confirm, mine)

    def in_force(self, fault: Fault) -> bool:
        """Return whether the confirming command still says so."""
        mine = self._mine(fault)
        return run(mine.confirm, mine.within_s)[0] == 0

    def clear(self, fault: Fault) -> None:
        """Run the command that clears it; nothing where it was never applied."""
        if fault.id in self._before:
            mine = self._mine(fault)
            self._must(fault, mine.clear, mine)

    def prove_clear(self, fault: Fault) -> None:
        """Have it proved."""
        if fault.id not in self._before:
            return
        mine = self._mine(fault)
        code, said = run(mine.prove, mine.within_s)
        if code != 0:
            raise FaultError(
                f"{fault.id}: {fault.at} is not proved clear: {_shown(mine.prove)} says {code} {said}",
                advice=f"by hand: {_shown(mine.clear)}",
            )

    def acted(self, fault: Fault) -> Acted | None:
        """Return the number that the `acted` command prints, less what it printed before; None in it without one."""
        if fault.id not in self._before:
            return None
        before, after = self._before.pop(fault.id), _number(self._mine(fault))
        count = None if before is None or after is None else max(0, after - before)
        return Acted(by=ActedBy.TARGET, count=count)

    def renew(self, lease_s: float) -> None:
        """Nothing: the guardian gives a command its lease."""

    def release(self) -> None:
        """Nothing: see `renew`."""

    def _mine(self, fault: Fault) -> CommandFault:
        try:
            return self._commands[fault.at]
        except KeyError:
            known = ", ".join(sorted(self._commands)) or "none"
            raise FaultError(f"{fault.id}: the target describes no {fault.at!r}; it has {known}") from None

    @staticmethod
    def _must(fault: Fault, command: Sequence[str], mine: CommandFault) -> None:
        code, said = run(command, mine.within_s)
        if code != 0:
            raise FaultError(f"{fault.id}: {fault.at}: {_shown(command)} ended with {code}: {said or 'it said nothing'}")


def run(command: Sequence[str], within_s: float) -> tuple[int, str]:
    """Return (exit code, the end of what it said); never through a shell. Raises FaultError where it cannot run or hangs."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=within_s,
            check=False,
            start_new_session=True,
        )
    except OSError as error:
        raise FaultError(
            f"{_shown(command)} cannot be run: {error.strerror}", advice="is it installed, and on the PATH?"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise FaultError(f"{_shown(command)} did not end within {within_s:g} s") from error
    return done.returncode, done.stdout.decode(errors="replace").strip()[-_SAID:]


def _number(mine: CommandFault) -> int | None:
    if not mine.acted:
        return None
    code, said = run(mine.acted, mine.within_s)
    return int(said) if code == 0 and said.isdigit() else None


def _shown(command: Sequence[str]) -> str:
    """Return the program alone: what follows it may be nobody's business."""
    return repr(command[0])
