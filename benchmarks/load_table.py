"""The load engine's table: every figure with its goal and its peers, measured in one run.

    python benchmarks/load_table.py [--rows closed,truth,frozen,streams,lag,workers,recorder] [--keep FILE] [--seconds N]

Peers on the PATH take part (k6, wrk, hey); Locust's FastHttpUser always does. The figures are added to a JSON file
(`build/load-table.json`, --keep names another), so that the rows can be measured one after the other in quiet minutes;
`load_plots.py` draws what it holds. About six minutes for all. A goal that is not met is printed as such and is no
failure: the figures of a busy machine are its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import load_page
import load_peers
import load_rate
import load_streams
import load_truth
import load_workers
from load_page import Kept, Row


def closed(seconds: float) -> list[Row]:
    """CPU and requests a second in a closed loop, beside the peers."""
    best = load_peers.turns(seconds)
    ours, k6 = best["harness"], best.get("k6")
    others = {name: turn for name, turn in best.items() if name != "harness"}
    cpu_met = ours.cpu_ms <= 25 and (k6 is None or ours.cpu_ms <= 0.4 * k6.cpu_ms)
    rate_met = ours.rps >= 35_000 and (k6 is None or ours.rps >= 1.6 * k6.rps)
    return [
        row("CPU ms per 1,000 requests, closed loop, 50 connections", ours.cpu_ms, "<= 25, <= 0.4 of k6", cpu_met,
            {name: turn.cpu_ms for name, turn in others.items()}, ratio=None if k6 is None else ours.cpu_ms / k6.cpu_ms),
        row("requests a second, one process, rows and outcomes on", ours.rps, ">= 35,000, >= 1.6 of k6", rate_met,
            {name: turn.rps for name, turn in others.items()}, ratio=None if k6 is None else ours.rps / k6.rps),
    ]  # fmt: skip


def truth(seconds: float) -> list[Row]:
    """The tail at 400 a second against the provider's records."""
    found, true = load_truth.compare(400, seconds, frozen=False)
    k6 = shutil.which("k6")
    peers = {}
    if k6 is not None:
        told, really = load_truth.of_k6(k6, 400, seconds, frozen=False)
        peers["k6"] = told - really
    return [row("p99 error at 400/s, lognormal, ms", found - true, "<= 0.5", abs(found - true) <= 0.5, peers)]


def frozen(seconds: float) -> list[Row]:
    """The p95 of responses while the server stands still for 2 s in every 10."""
    found, true = load_truth.compare(100, seconds, frozen=True)
    k6 = shutil.which("k6")
    peers = {}
    if k6 is not None:
        told, really = load_truth.of_k6(k6, 100, seconds, frozen=True)
        peers["k6"] = 100 * (told / really - 1)
    error = 100 * (found / true - 1)
    return [row("p95 error with 2 s frozen in 10, %", error, "within 1", abs(error) <= 1, peers)]


def streams(seconds: float) -> list[Row]:
    """The most streams that one worker can time."""
    held = load_streams.most(min(seconds, 6.0))
    good = [one for one in held if one.off <= 0.1]
    most = good[-1].streams if good else 0
    kept = {str(one.streams): [one.measured_ms, one.true_ms, one.cpu_us] for one in held}
    return [row("streams a process, token-gap p95 within 10 %", most, ">= 1,400", most >= 1400, {}, steps=kept)]


def lag(seconds: float) -> list[Row]:
    """Dispatch lag at two rates."""
    rows = []
    for rate, goal in ((1000, 1.0), (4000, 2.0)):
        found = load_rate.at_rate(rate, min(seconds, 10.0))
        what = f"dispatch lag p99 at {rate:,}/s, ms"
        rows.append(
            row(what, found.lag_ms[1], f"<= {goal:g}", found.lag_ms[1] <= goal, {}, p50=found.lag_ms[0], cpu_us=found.cpu_us)
        )
        if rate == 1000:
            sizes = found.size <= 160 and found.closed_size <= 100
            rows.append(
                row(
                    "bytes a sample at 1,000/s, running", found.size, "<= 160, closed <= 100", sizes, {}, closed=found.closed_size
                )
            )
    return rows


def workers(seconds: float) -> list[Row]:
    """What a request costs from one worker to eight."""
    found = load_workers.costs(500.0, min(seconds, 6.0))
    worst = max(abs(cost / found[1] - 1) for cost in found.values())
    return [row("cost per request, 1 to 8 workers, % from one", 100 * worst, "within 10", worst <= 0.1, {},
                steps={str(count): cost for count, cost in found.items()})]  # fmt: skip


def recorder(_: float) -> list[Row]:
    """What a sample costs; in a process of its own, because Locust's import patches the process."""
    costs = Path(__file__).with_name("load_costs.py")
    out = subprocess.run([sys.executable, costs], check=True, capture_output=True, text=True).stdout
    told = next(line for line in out.splitlines() if line.startswith("record a sample"))
    cost = float(told.split()[-2])
    return [row("recorder, us of CPU a sample, all columns", cost, "<= 1.5", cost <= 1.5, {})]


def row(what: str, value: float, goal: str, met: bool, peers: dict[str, float], **more: object) -> Row:
    """Return one row of the table."""
    return {"what": what, "value": value, "goal": goal, "met": met, "peers": peers, **more}


ROWS = {
    "closed": closed, "truth": truth, "frozen": frozen, "streams": streams, "lag": lag, "workers": workers, "recorder": recorder,
}  # fmt: skip


def print_table(rows: list[Row]) -> None:
    """Print all rows side by side."""
    print(f"\n{'figure':55} {'measured':>10}  {'goal':24} {'met':4} peers")
    for one in rows:
        peers, ratio = one["peers"], one.get("ratio")
        assert isinstance(peers, dict)
        told = ", ".join(f"{name} {value:,.1f}" for name, value in peers.items())
        beside = f"{ratio:.2f} of k6; " if isinstance(ratio, float) else ""
        print(f"{one['what']:55} {one['value']:>10,.2f}  {one['goal']:24} {'yes' if one['met'] else 'NO':4} {beside}{told}")


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(description="The load engine's table.")
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--keep", type=Path, default=load_page.KEPT)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    names = [name for name in given.rows.split(",") if name]
    if unknown := sorted(set(names) - set(ROWS)):
        parser.error(f"no row is called {', '.join(unknown)}; there are {', '.join(ROWS)}")
    kept: Kept = json.loads(given.keep.read_text()) if given.keep.is_file() else {}
    kept["machine"] = [load_page.machine()]
    given.keep.parent.mkdir(parents=True, exist_ok=True)
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        load = os.getloadavg()[0]
        kept[name] = [{**one, "load_before": round(load, 1)} for one in ROWS[name](min(given.seconds, 30.0))]
        given.keep.write_text(json.dumps(kept, indent=1) + "\n")
    print_table([one for name in ROWS for one in kept.get(name, [])])


if __name__ == "__main__":
    main()
