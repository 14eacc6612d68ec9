"""What checks have done on the reference service: each action a method, by the name that checks call it by."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from harness.errors import StackError
from harness.model.probe import ACTIONS, Action, ActionDone
from harness.model.target import Dependency
from harness.target.operating.backups import Backups
from harness.target.operating.instances import InstanceHands, Instances
from harness.target.operating.operators import FOR_PROGRAMS, Operators
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.releasing import ExpectedRollout, roll_out
from harness.target.operating.windows import fill_global_window


class Hands(InstanceHands, Protocol):
    """What differs with how the service is run. Every method raises StackError."""

    @property
    def stack(self) -> str:
        """What it is called in a sentence."""

    @property
    def rollout(self) -> ExpectedRollout:
        """How another version gets requests."""

    @property
    def balancer(self) -> str:
        """The directory that the operators' rollout program takes for the balancer's, where `run_rollout` runs it."""

    @property
    def store(self) -> Dependency:
        """The store of the service's counters, past every link."""

    def run_rollout(self, arguments: Sequence[str], within_s: float) -> tuple[int, str] | None:
        """Run the program; return its exit code and what it said, None where it has not ended in that time."""

    def change_features(self, *what: str) -> None:
        """Run the operators' program of the feature flags, on the file of every instance."""


class OperatingActor:
    """An `Actor` by the service's database, its interface, its programs and hands on its instances.

    stack: what it is called in a sentence. keys: user to API key, secret. base_url: where load goes. names: user to the
    name in the service's database, where that is another.
    """

    def __init__(
        self,
        stack: str,
        hands: InstanceHands,
        programs: OperatorPrograms,
        *,
        keys: Mapping[str, str],
        base_url: str,
        names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._stack = stack
        self._instances = Instances(hands)
        self._does: dict[str, Callable[[Action], ActionDone]] = {
            **Operators(programs, keys=keys, names=names, base_url=base_url).does,
            **Backups(programs).does,
            **self._instances.does,
        }

    def act(self, action: Action) -> ActionDone:
        """Do what a check asks for. Raises StackError."""
        does = self._does.get(action.does)
        if does is None:
            raise StackError(f"{self._stack} cannot {action.does!r}; it can {', '.join(self._does)}")
        return does(action)

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the instances that an action has ended and none has started again."""
        return self._instances.ended_on_purpose()


class ReferenceActor(OperatingActor):
    """An `Actor` that has its hands on all of the stack: features, roll-outs and what the store counts, too."""

    def __init__(self, hands: Hands, programs: OperatorPrograms, *, keys: Mapping[str, str], base_url: str) -> None:
        super().__init__(hands.stack, hands, programs, keys=keys, base_url=base_url)
        self._hands = hands
        self._does |= {
            "set-feature": lambda action: self._feature("set", action.arguments["feature"], action.arguments["share"]),
            "kill-feature": lambda action: self._feature("kill", action.arguments["feature"]),
            "fill-global-window": lambda action: fill_global_window(hands.store, action),
            "roll-out": lambda action: roll_out(action, hands.rollout, balancer=hands.balancer, run=hands.run_rollout),
        }

    @staticmethod
    def capabilities() -> frozenset[str]:
        """Return what can be done here, as an offer names it: what is told for a program needs it on this machine."""
        lacking = {name for name, program in FOR_PROGRAMS.items() if shutil.which(program) is None}
        return frozenset(f"actions.{name}" for name in ACTIONS.keys() - lacking)

    def _feature(self, *what: str) -> ActionDone:
        self._hands.change_features(*what)
        return ActionDone()
