"""Draw what `load_table.py --keep FILE` measured: our engine beside its peers, goals as lines.

python benchmarks/load_plots.py FILE DIRECTORY
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

OURS, THEIRS, GOAL = "#1f6f8b", "#b8b8b8", "#c0392b"


def bars(row: dict[str, object], goal: float, title: str, path: Path) -> None:
    """Draw one figure as bars, the least first, with the goal as a line."""
    peers = row["peers"]
    assert isinstance(peers, dict)
    figures = sorted({"harness": row["value"], **peers}.items(), key=lambda item: item[1])
    figure, axes = plt.subplots(figsize=(7, 0.5 + 0.42 * len(figures)), layout="constrained")
    axes.barh(
        range(len(figures)), [value for _, value in figures], color=[OURS if n == "harness" else THEIRS for n, _ in figures]
    )
    axes.set_yticks(range(len(figures)), [name for name, _ in figures])
    axes.axvline(goal, color=GOAL, linestyle="--", linewidth=1)
    for place, (_, value) in enumerate(figures):
        axes.annotate(f"{value:,.1f}", (value, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{title} (goal: dashed)", fontsize=10, loc="left")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def steps(row: dict[str, object], title: str, unit: str, path: Path) -> None:
    """Draw a figure that was measured at several places."""
    found = row["steps"]
    assert isinstance(found, dict)
    at = [int(place) for place in found]
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    first = next(iter(found.values()))
    if isinstance(first, list):
        for number, (name, colour) in enumerate((("measured", OURS), ("truth", THEIRS))):
            axes.plot(at, [value[number] for value in found.values()], marker="o", color=colour, label=name)
        axes.legend(frameon=False, fontsize=8)
    else:
        axes.plot(at, list(found.values()), marker="o", color=OURS)
        axes.set_ylim(bottom=0)
    axes.set_ylabel(unit, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=10, loc="left")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Draw whatever the file holds."""
    kept, place = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    if "closed" in kept:
        cpu, rate = kept["closed"]
        bars(cpu, 25, "CPU ms per 1,000 requests, closed loop, 50 connections", place / "load-cpu.png")
        bars(rate, 35_000, "Requests a second, closed loop, 50 connections", place / "load-rate.png")
    if "streams" in kept:
        steps(kept["streams"][0], "Token gap p95 by concurrent streams of one worker", "ms", place / "load-streams.png")
    if "workers" in kept:
        steps(kept["workers"][0], "CPU a request by number of workers", "us", place / "load-workers.png")


if __name__ == "__main__":
    main()
