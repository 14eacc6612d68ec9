"""How often a ratio objective is wrong: false passes and false fails at the limit, against the stated 5 %.

`python benchmarks/statistics_errors.py [RUNS]` simulates runs whose true share of bad requests *is* the limit (5 %), with
independent and with dependent failures (a Gaussian AR(1) cut at its 95th percentile), and prints how often each gate
passes and fails them: the point estimate, the plain bounds, and the bounds at the effective size, which is what the
judge uses. Seeded: the same numbers each time. Takes about half a minute.
"""

import sys

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm

from harness.stats import Decision, chance_of_pass, decide, effective_n, requests_for_fail, requests_for_pass

LIMIT = 0.05


def sequences(random: np.random.Generator, runs: int, n: int, rho: float, share: float) -> np.ndarray:
    """Return `runs` sequences of n requests, true where bad, with that true share and dependence."""
    noise = random.standard_normal((runs, n)) * np.sqrt(1 - rho**2)
    noise[:, 0] = random.standard_normal(runs)
    return np.asarray(lfilter([1.0], [1.0, -rho], noise, axis=1) > norm.isf(share))


def main() -> None:
    """Print the tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    random = np.random.default_rng(20260101)
    print(f"{runs} runs each; true share of bad = limit = {LIMIT:.0%}; both errors are stated as at most 5 %\n")
    print(
        "  rho      n | n_eff/n | false pass: point  bounds  judge | false fail: bounds  judge | passes at 2 % bad: bounds  judge"
    )
    for rho in (0.0, 0.5, 0.8, 0.95):
        for n in (200, 600, 1000, 4000):
            at_limit = sequences(random, runs, n, rho, LIMIT)
            worth = np.array([effective_n(bad) for bad in at_limit])
            counts = at_limit.sum(axis=1)
            plain = [decide(int(k), n, LIMIT) for k in counts]
            judged = [decide(k * w / n, w, LIMIT) for k, w in zip(counts, worth, strict=True)]
            good = sequences(random, max(100, runs // 10), n, rho, 0.02)
            good_worth = [effective_n(bad) for bad in good]
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
            print(
                f" {rho:4.2f} {n:6} | {worth.mean() / n:7.2f} |             {point}  {pass_plain} {pass_judge} |             "
                f"{fail_plain} {fail_judge} |                    {good_plain} {good_judge}"
            )
    print(
        "\nRequests for a 90 % chance of a pass, by true share:",
        {p: requests_for_pass(LIMIT, p) for p in (0.01, 0.02, 0.03, 0.04)},
    )
    print("Requests for a 90 % chance of a fail, by true share:", {p: requests_for_fail(LIMIT, p) for p in (0.07, 0.10)})
    print(f"A run of 100 at 6 % bad passes the bounded gate in {chance_of_pass(100, LIMIT, 0.06):.1%} of the cases.")


def _rate(decisions: list[Decision], which: Decision) -> float:
    return sum(decision is which for decision in decisions) / len(decisions)


if __name__ == "__main__":
    main()
