"""The operators' own program promotes a made-up standby: beside a primary that works, and beside one that is gone."""

from collections.abc import Callable

from harness.errors import StackError
from harness.model.probe import ActionDone
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.standby_stand_in import StandbyStandIn

PROGRAM = "reference_service.operations.standby"
_WITHIN_S = 20.0
_NOBODY = "postgresql://nobody:nothing@127.0.0.1:1/postgres"
"""A database that is gone: nobody listens on this port."""


def promote_standby(programs: OperatorPrograms, *, look: Callable[[], object]) -> ActionDone:
    """Have a standby promoted twice, and tell what the program asked of it. Raises StackError.

    look: at the primary; raises StackError where it does not work. Told, for `beside` a primary that works and `without` one:
    how often the standby was asked anything, how often to become a primary, and the exit code.
    """
    told: dict[str, str | int | float | bool | None] = {}
    for name, primary in (("beside", programs.database_url), ("without", _NOBODY)):
        with StandbyStandIn() as standby:
            if name == "beside":
                look()
            done = programs.ended(
                PROGRAM, "promote", "--standby", standby.address, within_s=_WITHIN_S, further={"SERVICE_DATABASE_URL": primary}
            )
            if name == "beside":
                look()  # as it worked before, so it does now: it was there all the time
            if done is None:
                raise StackError(f"the promotion did not end within {_WITHIN_S:.0f} s")
            told |= {f"{name}_asked": standby.asked(), f"{name}_promoted": standby.asked("pg_promote")}
            told[f"{name}_exit"] = done.returncode
    return ActionDone(told=told)
