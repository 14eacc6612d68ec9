"""How often each kind of objective is wrong: false passes and false fails where it is hardest, against the stated 5 %.

`python benchmarks/statistics_errors.py [RUNS]` simulates runs whose true share of bad requests *is* the limit (5 %), with
independent and with dependent failures (a Gaussian AR(1) cut at its 95th percentile), and prints how often each gate
passes and fails them: the point estimate, the plain bounds, and the bounds at the effective size, which is what the
judge uses. The 5 % are stated for runs that are truly worth at least 118 independent requests, twice what a clean pass
needs; rows below that are marked. Then: bounds that are looked at every 50 requests, regressions against a baseline, two
versions paired in blocks on a noisy machine, and recovery over repeated drills. A time in one drill, a meter against a
cap, a burn rate, a server's figure, the longest wait and an invariant are what was seen, without an estimate: they have
no such error.
Seeded: the same numbers each time. Takes about a minute.
"""

import sys
from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm

from harness.stats import (
    Decision,
    cautious_n,
    chance_of_pass,
    decide,
    effective_n,
    recovery_probability_proved,
    requests_for_fail,
    requests_for_pass,
    smallest_n_to_pass,
)
from harness.stats.differences import Comparison, Share, compare_shares
from harness.stats.paired import holm, paired_mean
from harness.stats.sequences import decide_any_time

LIMIT = 0.05


def sequences(random: np.random.Generator, runs: int, n: int, rho: float, share: float) -> np.ndarray:
    """Return `runs` sequences of n requests, true where bad, with that true share and dependence."""
    noise = random.standard_normal((runs, n)) * np.sqrt(1 - rho**2)
    noise[:, 0] = random.standard_normal(runs)
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=1) > norm.isf(share))


def early(random: np.random.Generator, runs: int) -> None:
    """Print how often a bound is wrong that is looked at every 50 requests until it decides, and when it does."""
    print("\nLooked at every 50 requests to 2,000 (stated: at most 5 % wrong at the limit)")
    print("  true share | fixed bounds: pass   fail | any-time bounds: pass   fail  stops after")
    for share in (0.01, 0.03, LIMIT, 0.08, 0.12):
        counts = (random.random((runs, 2000)) < share).cumsum(axis=1)[:, 49::50]
        fixed, any_time, stops = [], [], []
        for row in counts:
            looks = [(int(bad), 50 * (look + 1)) for look, bad in enumerate(row)]
            fixed.append(_first(looks, lambda bad, n: decide(bad, n, LIMIT))[0])
            found, after = _first(looks, lambda bad, n: decide_any_time(bad, n, LIMIT))
            any_time.append(found)
            stops.append(after)
        print(
            f"      {share:6.1%} |             {_rate(fixed, Decision.PASS):6.1%} {_rate(fixed, Decision.FAIL):6.1%} |"
            f"                {_rate(any_time, Decision.PASS):6.1%} {_rate(any_time, Decision.FAIL):6.1%}"
            f"       {np.mean(stops):6.0f}"
        )


def _first(looks: list[tuple[int, int]], decided: Callable[[int, int], Decision]) -> tuple[Decision, int]:
    for bad, n in looks:
        if (found := decided(bad, n)) is not Decision.UNDECIDED:
            return found, n
    return Decision.UNDECIDED, looks[-1][1]


def regressions(random: np.random.Generator, runs: int) -> None:
    """Print how often a regression is wrong: an equal version called worse, one worse by the effect called not worse."""
    effect = 0.03
    print(f"\nRegression against a baseline, effect {effect:.0%} (stated: at most 5 % of either)")
    print("      n | equal called worse | worse by the effect called not worse | worse by 3 effects found")
    for n in (200, 600, 2000):
        base, equal, by_effect, by_three = (random.binomial(n, share, runs) for share in (0.02, 0.02, 0.05, 0.11))
        found = [
            [compare_shares(Share(bad=float(b), n=n), Share(bad=float(k), n=n), effect) for b, k in zip(base, new, strict=True)]
            for new in (equal, by_effect, by_three)
        ]
        worse, missed, caught = (
            np.mean([each is what for each in column])
            for column, what in zip(found, (Comparison.WORSE, Comparison.NOT_WORSE, Comparison.WORSE), strict=True)
        )
        print(
            f"  {n:5} |             {worse:6.1%} |                               {missed:6.1%} |                   {caught:6.1%}"
        )


def pairs(random: np.random.Generator, runs: int) -> None:
    """Print how often two versions on one noisy machine are told apart wrongly, over six figures with Holm's correction."""
    effect, figures = np.log(1.1), 6
    print("\nPaired versions, median response, effect 10 %, machine's speed varies by half from pair to pair (stated: 5 %)")
    print("  pairs | equal called worse | slower by 10 % called not worse | slower by 40 % found")
    for count in (10, 15, 30, 60):
        rates = []
        for slower, what in ((1.0, "worse"), (1.1, "not worse"), (1.4, "worse")):
            hits = 0
            for _ in range(runs):
                noise = random.normal(0, 0.12, (figures, count))  # what is left within a pair, once its speed fell out
                noise[0] += np.log(slower)
                means = [paired_mean(row, 0.95) for row in noise]
                sure = holm([mean.p_value for mean in means], 0.05)
                worse = any(is_sure and mean.value >= effect for is_sure, mean in zip(sure, means, strict=True))
                not_worse = all(mean.upper <= effect for mean in means)
                hits += worse if what == "worse" else not_worse
            rates.append(hits / runs)
        equal, by_10, by_40 = (f"{rate:6.1%}" for rate in rates)
        print(f"  {count:5} |             {equal} |                          {by_10} |               {by_40}")


def drills(random: np.random.Generator, runs: int) -> None:
    """Print how often k clean drills prove a probability of recovery that the service does not have."""
    print("\nRecovery over k drills, all clean: what is proved, and how often a service just below that gets it (stated: 5 %)")
    for k in (3, 5, 14, 59):
        proved = recovery_probability_proved(k)
        clean = (random.random((runs * 10, k)) < proved).all(axis=1).mean()
        print(f"  {k:3} drills prove {proved:6.1%}; given wrongly in {clean:6.1%}")


def main() -> None:
    """Print the tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    random = np.random.default_rng(20260101)
    stated_from = 2 * (smallest_n_to_pass(LIMIT) or 0)
    print(
        f"{runs} runs each; true share of bad = limit = {LIMIT:.0%}; both errors are stated as at most 5 % where a run is worth"
        f" {stated_from} independent requests; * is below that\n"
    )
    print(
        "  rho      n |  worth | false pass: point bounds   judge | false fail: bounds  judge | passes at 2 % bad: bounds  judge"
    )
    for rho in (0.0, 0.5, 0.8, 0.95):
        long = sequences(random, 1, 1_000_000, rho, LIMIT)[0]
        true_worth = effective_n(long) / long.size
        for n in (200, 600, 1000, 4000):
            at_limit = sequences(random, runs, n, rho, LIMIT)
            worth = np.array([_worth(bad) for bad in at_limit])
            counts = at_limit.sum(axis=1)
            plain = [decide(int(k), n, LIMIT) for k in counts]
            judged = [decide(k * w / n, w, LIMIT) for k, w in zip(counts, worth, strict=True)]
            good = sequences(random, max(100, runs // 10), n, rho, 0.02)
            good_worth = [_worth(bad) for bad in good]
            rates = (
                np.mean(counts / n < LIMIT),
                _rate(plain, Decision.PASS),
                _rate(judged, Decision.PASS),
                _rate(plain, Decision.FAIL),
                _rate(judged, Decision.FAIL),
                _rate([decide(int(bad.sum()), n, LIMIT) for bad in good], Decision.PASS),
                _rate([decide(bad.mean() * w, w, LIMIT) for bad, w in zip(good, good_worth, strict=True)], Decision.PASS),
            )
            point, pass_plain, pass_judge, fail_plain, fail_judge, good_plain, good_judge = (f"{rate:6.1%}" for rate in rates)
            below = "*" if true_worth * n < stated_from else " "
            print(
                f" {rho:4.2f} {n:6} | {true_worth * n:5.0f}{below} |            {point}  {pass_plain} {pass_judge} |             "
                f"{fail_plain} {fail_judge} |                    {good_plain} {good_judge}"
            )
    print(
        "\nRequests for a 90 % chance of a pass, by true share:",
        {p: requests_for_pass(LIMIT, p) for p in (0.01, 0.02, 0.03, 0.04)},
    )
    print("Requests for a 90 % chance of a fail, by true share:", {p: requests_for_fail(LIMIT, p) for p in (0.07, 0.10)})
    few = max(200, runs // 5)
    early(random, few)
    regressions(random, runs)
    pairs(random, few)
    drills(random, runs)
    print(f"A run of 100 at 6 % bad passes the bounded gate in {chance_of_pass(100, LIMIT, 0.06):.1%} of the cases.")


def _worth(bad: np.ndarray) -> float:
    """Return what the judge takes a sequence for."""
    return cautious_n(bad) if bad.mean() <= LIMIT else effective_n(bad)


def _rate(decisions: list[Decision], which: Decision) -> float:
    return sum(decision is which for decision in decisions) / len(decisions)


if __name__ == "__main__":
    main()
