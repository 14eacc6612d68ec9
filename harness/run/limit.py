"""Find the limit: the highest rate at which a scenario passes, by running it again at other rates.

Each rate is a whole run of its own, judged as any other, on a target that starts anew: what is reported as passed did
pass. The rate rises by doubling until a run does not pass, then the gap is halved until it is as small as was asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

MOST_RUNS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One rate and what came of it: `pass`, `warn`, `fail`, `inconclusive` or `invalid`."""

    rate_rps: float
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What was found. met_rps: the highest rate that passed, None where none did. broke_rps: the lowest above it that
    was seen to fail, None where nothing failed. The limit lies between the two; `undecided` rates between them neither
    passed nor failed. why_open: why an end of the interval is missing.
    """

    met_rps: float | None
    broke_rps: float | None
    undecided_rps: tuple[float, ...]
    tried: tuple[Tried, ...]
    why_open: str | None = None

    def sentence(self) -> str:
        """Return what was found, for people."""
        if self.met_rps is None:
            return f"no rate passed: {self.why_open}"
        if self.broke_rps is None:
            return f"every objective held up to {self.met_rps:g}/s: {self.why_open}"
        between = f"; {', '.join(f'{rate:g}/s' for rate in self.undecided_rps)} not decided" if self.undecided_rps else ""
        return f"the highest rate that met every objective is {self.met_rps:g}/s; {self.broke_rps:g}/s did not{between}"


def find_limit(run_at: Callable[[float], str], *, from_rps: float, to_rps: float, within: float) -> Limit:
    """Return the limit between two rates, as an interval no wider than `within` of its lower end where runs decide.

    run_at: runs at a rate and returns its verdict; may raise, and then so does this. An invalid run says something about
    the generator and nothing about the target: it ends the search, and the interval stays open there.
    """
    tried: list[Tried] = []

    def verdict_at(rate_rps: float) -> str:
        tried.append(Tried(rate_rps=rate_rps, verdict=run_at(rate_rps)))
        return tried[-1].verdict

    met: float | None = None
    broke: float | None = None
    undecided: list[float] = []
    why: str | None = None
    rate = from_rps
    while len(tried) < MOST_RUNS:
        verdict = verdict_at(rate)
        if verdict == "invalid":
            why = f"the generator itself was not valid at {rate:g}/s"
            break
        if verdict in ("pass", "warn"):
            met = rate
        elif verdict == "fail":
            broke = rate
        else:
            undecided.append(rate)
        ceiling = min([rate for rate in (broke, *undecided) if rate is not None and rate > (met or 0.0)], default=None)
        if met is None:
            why = f"{from_rps:g}/s, the lowest, was {verdict}"
            break
        if ceiling is None:
            if met >= to_rps:
                why = "higher rates were not asked for"
                break
            rate = min(met * 2.0, to_rps)
        elif ceiling - met <= within * met:
            break
        else:
            rate = _rounded((met + ceiling) / 2.0)
            if rate in (met, ceiling):
                break
    between = tuple(sorted(r for r in undecided if r > (met or 0.0) and (broke is None or r < broke)))
    if met is not None and broke is None and why is None:
        why = f"{between[0]:g}/s could not be decided" if between else "the search was cut short"
    return Limit(met_rps=met, broke_rps=broke, undecided_rps=between, tried=tuple(tried), why_open=why)


def _rounded(rate_rps: float) -> float:
    """Return a rate as people write it: three digits."""
    return float(f"{rate_rps:.3g}")
