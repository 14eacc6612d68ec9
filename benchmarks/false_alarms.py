"""How often a healthy service fails: a bundle run again and again, the count and the bound that it proves.

`python benchmarks/false_alarms.py smoke 50 [--out DIR]` runs the bundle with another seed each time and prints, after each,
what came of it; at the end how many runs failed falsely, how many proved nothing (inconclusive or invalid: a noisy
machine, counted apart because neither passes), and the 95 % upper bound of the chance of a false alarm. Results are
appended to `DIR/false-alarms.jsonl`, so that a series can go on where it stopped. 50 clean runs prove at most 5.8 %.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from harness.stats import bounds_of_share

WORDS = {0: "pass", 1: "FALSE ALARM", 3: "inconclusive", 4: "invalid"}
NAME = "false-alarms.jsonl"


def run_bundle(bundle: str, seed: int, out: Path) -> dict[str, object]:
    """Run a bundle once; return its exit code, how long it took, and each scenario's verdict with what failed."""
    began = time.monotonic()
    command = [sys.executable, "-m", "harness", "run", "--bundle", bundle, "--seed", str(seed), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    verdicts: dict[str, str] = {}
    for path in sorted(out.glob("*/verdict.json")):
        verdict = json.loads(path.read_text(encoding="utf-8"))
        failed = [row["id"] for row in verdict["results"] if row["status"] == "fail"]
        verdicts[path.parent.name] = " ".join([verdict["verdict"], *failed])
    row = {"bundle": bundle, "seed": seed, "exit_code": done.returncode, "took_s": round(time.monotonic() - began)}
    if done.returncode not in WORDS:
        row["said"] = done.stderr[-400:]
    return {**row, "verdicts": verdicts}


def summary(rows: list[dict[str, object]]) -> str:
    """Return the count and what it proves."""
    codes = Counter(int(str(row["exit_code"])) for row in rows)
    judged = codes[0] + codes[1]
    bound = bounds_of_share(codes[1], judged)
    longest = max((int(str(row["took_s"])) for row in rows), default=0)
    rest = ", ".join(f"{count} {WORDS.get(code, f'exit {code}')}" for code, count in sorted(codes.items()) if code > 1)
    return (
        f"{codes[1]} false alarms in {judged} judged runs: at most {bound.upper:.1%} of all runs, with 95 % confidence"
        f"{f'; beside them {rest}' if rest else ''}; the longest took {longest} s"
    )


def main() -> int:
    """Run the series; 1 if any run failed falsely, 3 if any proved nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", choices=("smoke", "gate", "full"))
    parser.add_argument("runs", type=int)
    parser.add_argument("--out", type=Path, default=Path("reports/false-alarms"))
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each further run has the next one")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error("runs: at least 1")
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / NAME
    rows = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.exists() else []
    rows = [row for row in rows if row["bundle"] == asked.bundle]
    for seed in range(asked.seed + len(rows), asked.seed + asked.runs):
        row = run_bundle(asked.bundle, seed, asked.out / f"{asked.bundle}-{seed:04d}")
        rows.append(row)
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        word = WORDS.get(int(str(row["exit_code"])), f"exit {row['exit_code']}")
        print(f"{len(rows):4} of {asked.runs}  seed {seed:4}  {row['took_s']:4} s  {word:12}  {row['verdicts']}", flush=True)
    print(summary(rows))
    return 1 if any(row["exit_code"] == 1 for row in rows) else 3 if any(row["exit_code"] != 0 for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
