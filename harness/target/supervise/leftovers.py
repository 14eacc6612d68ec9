"""What a killed harness and its killed keeper left behind: found by marker, ended, removed."""

from pathlib import Path

from harness.target.supervise import marker, removal
from harness.target.supervise.procfs import Identity, end_all, is_alive, stamped
from harness.target.supervise.shared_memory import remove_segments


def clean_leftovers(state_directory: Path | None = None) -> list[str]:
    """End and remove what dead runs left; return one sentence for each thing done or not possible.

    A run whose control process lives is never touched, nor one of another machine or container: its pids mean
    nothing here.
    """
    where = marker.default_state_directory() if state_directory is None else state_directory
    here = marker.this_place()
    done: list[str] = []
    for found in marker.read_all(where):
        if _same_host(found.place, here) and not (found.place == here and is_alive(found.control)):
            done += _clean(where, found, pids_hold=found.place == here)
    return done


def _clean(where: Path, found: marker.Marker, *, pids_hold: bool) -> list[str]:
    """Clean up after one dead run. pids_hold: it ran in this boot, so that its pids may still be its own."""
    done: list[str] = []
    named: dict[Identity, str] = {}
    if pids_hold:
        named = {child: name for name, child in found.children if is_alive(child)}
        if is_alive(found.keeper):
            named[found.keeper] = "keeper"
        for stray in stamped(found.stack_id):
            named.setdefault(stray, "a process")
    stuck = end_all(named, within_s=5.0)
    done += [
        f"ended {name} (pid {identity.pid}) of stack {found.stack_id}"
        for identity, name in named.items()
        if identity not in stuck
    ]
    done += [f"could not end pid {identity.pid} of stack {found.stack_id}" for identity in stuck]
    if pids_hold:
        remove_segments((child.pid for _, child in found.children), made_before_s=found.written_s + 10)
    directory = Path(found.directory)
    existed = directory.exists()
    gone = removal.remove(directory, found.stack_id)
    if existed:
        done.append(f"removed {directory}" if gone else f"could not remove {directory}: remove it by hand")
    if gone and not stuck:
        marker.remove(where, found.stack_id)
    return done


def _same_host(place: str, here: str) -> bool:
    """Return whether a marker was written here, or here before the last boot."""
    host, boot, namespace = place.rsplit(" ", 2)
    this_host, this_boot, this_namespace = here.rsplit(" ", 2)
    return host == this_host and (boot != this_boot or namespace == this_namespace)
