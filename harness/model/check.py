"""A behaviour check: what it adds to the timeline, and how it judges what the run left behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.model.fault import Parameter
from harness.model.plan import Burst, Phase, PlannedCheck


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSteps:
    """What a check puts on the timeline. capped_principals: users that it needs, with their daily budget in dollars.

    needs_rate_limit: it says something only of a target that limits each of its users.
    """

    bursts: tuple[Burst, ...] = ()
    capped_principals: Mapping[str, float] = field(default_factory=dict)
    needs_rate_limit: bool = False


class CheckPlanner(Protocol):
    """The planning half of a check; the judging half stands beside it and reads the run directory only."""

    name: str
    title: str
    settings: tuple[Parameter, ...]

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the steps for one use of the check. Pure."""
