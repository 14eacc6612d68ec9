"""Draw what `load_table.py` measured and write the page that shows it: our engine beside its peers, goals as lines.

    python benchmarks/load_plots.py [FILE] [DOCS]

FILE is what `make bench` kept (`build/load-table.json`), DOCS the folder of the documentation. `make figures` does both.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import load_page
import matplotlib.pyplot as plt
from load_page import Kept, Row

OURS, THEIRS, GOAL = "#1f6f8b", "#b8b8b8", "#c0392b"


def numbers(row: Row, key: str) -> dict[str, float]:
    """Return a table of figures within a row."""
    found = row.get(key, {})
    assert isinstance(found, dict)
    return {str(name): float(value) for name, value in found.items()}


def bars(row: Row, goal: float, title: str, path: Path) -> None:
    """Draw one figure as bars, the least first, with the goal as a line."""
    value = row["value"]
    assert isinstance(value, (int, float))
    figures = sorted({"harness": float(value), **numbers(row, "peers")}.items(), key=lambda item: item[1])
    figure, axes = plt.subplots(figsize=(7, 0.7 + 0.42 * len(figures)), layout="constrained")
    axes.barh(
        range(len(figures)), [shown for _, shown in figures], color=[OURS if n == "harness" else THEIRS for n, _ in figures]
    )
    axes.set_yticks(range(len(figures)), [name for name, _ in figures])
    axes.axvline(goal, color=GOAL, linestyle="--", linewidth=1)
    for place, (_, shown) in enumerate(figures):
        axes.annotate(f"{shown:,.1f}", (shown, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.margins(x=0.12)
    finish(figure, axes, f"{title} (goal: dashed)", path)


def goals(rows: list[Row], title: str, path: Path) -> None:
    """Draw figures of several units as shares of their goals: the dashed line is the goal, less is better."""
    figure, axes = plt.subplots(figsize=(7, 0.7 + 0.42 * len(rows)), layout="constrained")
    shares = [abs(float(str(row["value"]))) / load_page.limit_of(row) for row in rows]
    axes.barh(range(len(rows)), shares, color=[OURS if row["met"] else GOAL for row in rows], height=0.7)
    axes.set_yticks(range(len(rows)), [str(row["what"]) for row in rows], fontsize=8)
    axes.axvline(1.0, color=GOAL, linestyle="--", linewidth=1)
    for place, (row, share) in enumerate(zip(rows, shares, strict=True)):
        told = f"{float(str(row['value'])):,.2f} (goal {row['goal']})"
        axes.annotate(told, (share, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.margins(x=0.45)
    axes.invert_yaxis()
    axes.set_xlabel("share of the goal", fontsize=8)
    finish(figure, axes, title, path)


def steps(row: Row, title: str, across: str, unit: str, path: Path) -> None:
    """Draw a figure that was measured at several places."""
    found = row["steps"]
    assert isinstance(found, dict)
    at = [int(place) for place in found]
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    if isinstance(next(iter(found.values())), list):
        for number, (name, colour) in enumerate((("measured", OURS), ("what the server did", THEIRS))):
            axes.plot(at, [value[number] for value in found.values()], marker="o", color=colour, label=name)
        axes.legend(frameon=False, fontsize=8)
    else:
        axes.plot(at, list(found.values()), marker="o", color=OURS)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(across, fontsize=8)
    axes.set_ylabel(unit, fontsize=8)
    finish(figure, axes, title, path)


def finish(figure: "plt.Figure", axes: "plt.Axes", title: str, path: Path) -> None:
    """Title a plot and write it; the same figures give the same file."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, fontsize=10, loc="left")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def draw(kept: Kept, images: Path) -> list[str]:
    """Draw whatever was measured; return the names of the pictures."""
    drawn: list[str] = []

    def path(name: str) -> Path:
        drawn.append(name)
        return images / f"{name}.png"

    if "closed" in kept:
        cpu, rate = kept["closed"]
        bars(cpu, 25, "CPU ms per 1,000 requests, closed loop, 50 connections: less is better", path("load-cpu"))
        bars(rate, 35_000, "Requests a second, closed loop, 50 connections: more is better", path("load-rate"))
    rest = [row for name in ("truth", "frozen", "lag", "workers", "recorder") for row in kept.get(name, [])]
    if rest:
        goals(rest, "Share of the goal (dashed: the goal itself)", path("load-goals"))
    if "streams" in kept:
        steps(kept["streams"][0], "Token gap p95 by streams of one worker", "streams at once", "ms", path("load-streams"))
    if "workers" in kept:
        steps(kept["workers"][0], "CPU a request, each worker at 500/s", "workers", "us", path("load-workers"))
    return drawn


def main() -> None:
    """Draw, and write the page."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else load_page.KEPT
    docs = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[1] / "docs"
    if not file.is_file():
        sys.exit(f"{file}: not there; `make bench` measures and keeps it (some minutes, on a quiet machine)")
    kept: Kept = json.loads(file.read_text())
    drawn = draw(kept, docs / "images")
    (docs / "explanation" / "load-figures.md").write_text(load_page.page(kept, drawn))
    print(f"{docs}/explanation/load-figures.md and {', '.join(f'{name}.png' for name in drawn)}")


if __name__ == "__main__":
    main()
