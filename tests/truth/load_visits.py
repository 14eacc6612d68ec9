"""A locustfile in a load worker, driven as the conductor drives it: the plan of one, and the file itself."""

import hashlib
from dataclasses import replace
from pathlib import Path

from load_process import S, plan_for

from harness.model.plan import ArrivalProcess, ArrivalSegment, LocustfileReference, Plan, UserClass


def visiting(path: Path, text: str, *, users: int | None = None, **settings: float) -> Plan:
    """Return a plan whose arrivals are tasks of a file with this text; with `users` a closed loop of them."""
    path.write_text(text)
    plan = plan_for(**settings)  # type: ignore[arg-type] # numbers only
    load = plan.load
    if users is not None:
        end_ns = plan.phases[-1].end_ns
        closed = ArrivalSegment(process=ArrivalProcess.CLOSED, start_ns=0, end_ns=end_ns, rate_rps=0, users=users)
        load = replace(load, segments=(closed,))
    reference = LocustfileReference(path=str(path), digest=hashlib.sha256(path.read_bytes()).hexdigest())
    stands_for = (UserClass(name="locustfile", weight_ratio=1.0, prompts=("",)),)
    return replace(plan, load=replace(load, mix=stands_for, streamed_ratio=0.0, principals=1, locustfile=reference))


__all__ = ["S", "visiting"]
