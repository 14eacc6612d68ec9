"""A locustfile is imported once before its run, by a load process: what is wrong with it is told before anything starts."""

import tempfile
from pathlib import Path

from harness.errors import LoadError
from harness.model.plan import Plan
from harness.run.load_child import Child

LOOKED_WITHIN_S = 30.0


def look_at_locustfile(plan: Plan) -> str | None:
    """Return a sentence on what the plan's locustfile holds; None where there is none. Raises ConfigurationError, LoadError.

    It sends nothing: an import that connects to anywhere but this machine is refused.
    """
    if plan.load.locustfile is None:
        return None
    with tempfile.TemporaryDirectory(prefix="harness-look-") as place:
        child = Child(["look", plan.load.locustfile.path], Path(place) / "look.log", name="the look at the locustfile")
        try:
            found = child.wait_for("looked", LOOKED_WITHIN_S)
        finally:
            child.close()
            child.wait(2.0)
    users = found.get("users")
    if not isinstance(users, list):
        raise LoadError("the look at the locustfile found nothing")
    told = ", ".join(f"{user['name']} (weight {user['weight']:g}, {len(user['tasks'])} tasks)" for user in users)
    shape = "; its LoadTestShape is not used, the scenario says when" if found.get("has_shape") else ""
    return f"locustfile {Path(plan.load.locustfile.path).name}: {told}{shape}"
