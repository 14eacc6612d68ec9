"""The labels by which a stack's containers and network are found again, and whose they are."""

import json
import os
from collections.abc import Mapping

from harness.target.supervise import marker
from harness.target.supervise.procfs import Identity, identify, is_alive

STACK = "llm-harness.stack"
RUN = "llm-harness.run"
NAME = "llm-harness.name"
CONTROL = "llm-harness.control"


def labels(stack_id: str, run: str, name: str) -> dict[str, str]:
    """Return the labels of one part: the stack, the run, its name there and the process that controls it."""
    control = identify(os.getpid()) or Identity(pid=os.getpid(), start_ticks=-1)
    owner = {"place": marker.this_place(), "pid": control.pid, "start_ticks": control.start_ticks}
    return {STACK: stack_id, RUN: run, NAME: name, CONTROL: json.dumps(owner)}


def is_leftover(found: Mapping[str, str]) -> bool:
    """Return whether what carries these labels is of a control process of this host that is gone.

    What another host or container started is never ours to judge; what cannot be read is nobody's leftover either.
    """
    try:
        owner = json.loads(found[CONTROL])
        place, control = str(owner["place"]), Identity(pid=int(owner["pid"]), start_ticks=int(owner["start_ticks"]))
        host, boot, namespace = place.rsplit(" ", 2)
    except (KeyError, ValueError, TypeError):
        return False
    this_host, this_boot, this_namespace = marker.this_place().rsplit(" ", 2)
    if host != this_host:
        return False
    if boot != this_boot:
        return True
    return namespace == this_namespace and not is_alive(control)
