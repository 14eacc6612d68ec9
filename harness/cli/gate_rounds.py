"""Which planted defects share a run: those that break different parts, and that different results must catch.

A hundred defects at most of a minute each do not fit into half an hour. A round holds defects of one scenario of which
no two break the same part, no two are caught by the same result, and none is known to fail a result that another's catch
rests on. What cannot share (it breaks everything) has a round of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.scenario.catchers import Catcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One run: the scenario as its first catcher has it. planted: nobody's defect, one, or several."""

    first: Catcher
    planted: tuple[Catcher, ...] = ()

    @property
    def defects(self) -> tuple[str, ...]:
        """Return what is planted, in the order given."""
        return tuple(catcher.defect for catcher in self.planted)

    @property
    def name(self) -> str:
        """Return what its directory is called."""
        if not self.planted:
            return f"healthy-{self.first.scenario}"
        return self.defects[0] if len(self.planted) == 1 else f"{len(self.planted)}-defects-{self.first.scenario}"


def rounds_of(
    catchers: Sequence[Catcher], *, control: bool, parts: Mapping[str, frozenset[str]] | None = None
) -> tuple[Round, ...]:
    """Return the runs that the catchers need, each scenario's healthy one before those that are planted.

    control: with the healthy ones. parts: what each defect breaks, where defects may share a run; None: one a run.
    """
    rounds: list[Round] = []
    for group in _by_control(catchers):
        if control:
            rounds.append(Round(first=group[0]))
        shared: list[list[Catcher]] = []
        for catcher in group:
            fitting = [] if parts is None else [each for each in shared if all(_may_share(catcher, o, parts) for o in each)]
            (fitting[0].append(catcher) if fitting else shared.append([catcher]))
        rounds += [Round(first=each[0], planted=tuple(each)) for each in shared]
    return tuple(rounds)


def _by_control(catchers: Sequence[Catcher]) -> list[list[Catcher]]:
    groups: dict[object, list[Catcher]] = {}
    for catcher in catchers:
        groups.setdefault(catcher.control, []).append(catcher)
    return list(groups.values())


def _may_share(one: Catcher, other: Catcher, parts: Mapping[str, frozenset[str]]) -> bool:
    if one.alone or other.alone or set(one.results) & set(other.results):
        return False
    if set(one.disturbs) & set(other.results) or set(other.disturbs) & set(one.results):
        return False
    mine, theirs = parts.get(one.defect, frozenset()), parts.get(other.defect, frozenset())
    return bool(mine and theirs) and not mine & theirs
