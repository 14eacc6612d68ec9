"""The faults that a description gives the harness: commands, ready to be run from anywhere."""

from collections.abc import Sequence
from pathlib import Path

from harness.model.target import CommandFault
from harness.target.description import Description
from harness.target.description.placeholders import Placeholders


def own_faults(description: Description, placeholders: Placeholders) -> dict[str, CommandFault]:
    """Return the faults of a description by their places: `commands.redis-failover`."""

    def filled(command: Sequence[str]) -> tuple[str, ...]:
        program, *arguments = (placeholders.fill(part) for part in command)
        # The guardian may have to run it, from another folder.
        return (str(description.folder / program) if "/" in program and not Path(program).is_absolute() else program, *arguments)

    return {
        f"commands.{name}": CommandFault(
            name=name,
            apply=filled(fault.apply),
            confirm=filled(fault.confirm),
            clear=filled(fault.clear),
            prove=filled(fault.prove),
            acted=() if fault.acted is None else filled(fault.acted),
            within_s=fault.within / 1e9,
        )
        for name, fault in description.document.faults.items()
    }
