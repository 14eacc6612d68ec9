"""A behaviour check: what it adds to the timeline, and how it judges what the run left behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.model.fault import Parameter
from harness.model.plan import Burst, Phase, PlannedCheck
from harness.model.probe import Action, MadePrincipal, Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSteps:
    """What a check puts on the timeline.

    bursts: requests of the load workers. probes: requests of the control process. actions: what is done on the target.
    capped_principals: users that it needs, with their daily budget in dollars; principals: further users.
    needs: capabilities of the target that its steps do not show by themselves, `logs` or `messages` say.
    needs_rate_limit: it says something only of a target that limits each of its users.
    """

    bursts: tuple[Burst, ...] = ()
    probes: tuple[Probe, ...] = ()
    actions: tuple[Action, ...] = ()
    capped_principals: Mapping[str, float] = field(default_factory=dict)
    needs_rate_limit: bool = False
    principals: tuple[MadePrincipal, ...] = ()
    needs: frozenset[str] = frozenset()

    @property
    def all_needs(self) -> frozenset[str]:
        """Every capability that the target must offer for these steps to mean anything."""
        needs = set(self.needs) | {f"actions.{action.does}" for action in self.actions}
        if any(probe.instance is not None for probe in self.probes):
            needs.add("instances")
        if any(principal.role != "user" for principal in self.principals):
            needs.add("principals.admin")
        if any(principal.tenant is not None for principal in self.principals):
            needs.add("principals.tenants")
        return frozenset(needs)


class CheckPlanner(Protocol):
    """The planning half of a check; the judging half stands beside it and reads the run directory only."""

    @property
    def name(self) -> str:
        """What scenarios call it."""

    @property
    def title(self) -> str:
        """One line for people."""

    @property
    def settings(self) -> tuple[Parameter, ...]:
        """The keys that a scenario may set it up with."""

    def plan(self, check: PlannedCheck, phase: Phase) -> CheckSteps:
        """Return the steps for one use of the check. Pure."""
