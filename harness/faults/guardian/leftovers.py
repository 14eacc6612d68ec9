"""Heals what a guardian that was killed itself left on its list."""

from pathlib import Path

from harness.errors import FaultError
from harness.faults.guardian.healing import heal
from harness.faults.guardian.undo import UndoList, from_json, socket_beside
from harness.faults.procfs import Bound, lives

UNDO_PREFIX = "undo-"


def heal_leftovers(directory: Path) -> list[str]:
    """Heal every undo list in `directory` whose guardian is gone; return what was done, a sentence each.

    A list whose guardian lives is not touched. One that cannot be healed stays, and the sentence says what a person does.
    """
    told: list[str] = []
    for path in sorted(directory.glob(f"{UNDO_PREFIX}*.json")):
        try:
            undo = from_json(path.read_bytes(), path)
        except FileNotFoundError:
            continue  # its guardian has just ended
        except (FaultError, OSError) as error:
            told.append(str(error))
            continue
        if not lives(Bound(pid=undo.guardian_pid, start_ticks=undo.guardian_ticks)):
            told += _heal_list(path, undo)
    return told


def _heal_list(path: Path, undo: UndoList) -> list[str]:
    told: list[str] = []
    whole = True
    for fault_id, steps in reversed(list(undo.steps.items())):
        troubles = [trouble for step in steps if (trouble := heal(step)) is not None]
        whole = whole and not troubles
        told += [f"fault {fault_id} was left behind and could not be healed; by hand: {trouble}" for trouble in troubles]
        if not troubles:
            told.append(f"healed fault {fault_id}, left behind by a run that was killed")
    if whole:
        path.unlink(missing_ok=True)
        path.with_name(f".{path.name}.part").unlink(missing_ok=True)
        socket_beside(path).unlink(missing_ok=True)
    return told
