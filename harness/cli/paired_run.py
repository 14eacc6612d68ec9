"""`harness run S --target NEW --against OLD`: both versions up, one schedule dealt in blocks, one finding."""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from harness.cli.options import make_target
from harness.compare.paired import Paired, compare_pair, exit_code_of, figure_text
from harness.errors import ConfigurationError, RunDirectoryError
from harness.model.plan import ArrivalProcess, Plan
from harness.model.units import parse_duration_ns
from harness.run.interruption import Interruption
from harness.run.pair import Rendezvous, run_together
from harness.run.places import default_out, new_run_id, point_latest
from harness.run.session import RunRequest, plan_scenario
from harness.rundir import RunDirectory, codec
from harness.rundir.files import write_whole

ARMS = ("older", "newer")
PAIRED_NAME = "paired.json"
LEAST_BLOCK_NS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PairWords:
    """What is compared, as it was typed."""

    newer: str
    older: str
    service: Sequence[str]
    against_service: Sequence[str]
    block: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What both versions are told alike."""

    overrides: Sequence[str]
    labels: Sequence[str]
    seed: int
    workers: int
    rehearsal: bool

    def words(self) -> list[str]:
        """Return it as options of `harness run`."""
        words = ["--seed", str(self.seed), "--workers", str(self.workers)]
        words += [word for override in self.overrides for word in ("--set", override)]
        words += [word for label in self.labels for word in ("--label", label)]
        return words if self.rehearsal else [*words, "--no-rehearsal"]


def refuse_beside_pairs(scenarios: int, given: Mapping[str, bool]) -> None:
    """Raise ConfigurationError for what does not go together with `--against`. given: what was asked for, by its name."""
    if scenarios != 1:
        raise ConfigurationError("--against compares two versions on one scenario; name one")
    if wrong := [name for name, is_given in given.items() if is_given]:
        raise ConfigurationError(f"{' and '.join(wrong)} and --against do not go together")


def compare_versions(request: RunRequest, words: PairWords, shared: Shared, *, as_json: bool) -> int:
    """Run both versions of one scenario side by side, print what the pairs say, return the exit code."""
    try:
        block_ns = parse_duration_ns(words.block)
    except ValueError as error:
        raise ConfigurationError(f"--block: {error}") from error
    if block_ns < LEAST_BLOCK_NS:
        raise ConfigurationError(f"--block {words.block}: a block of less than 100 ms holds hardly a request")
    older = make_target(words.older, shared.seed, words.against_service)
    for target in (request.target, older):  # both must be sound before either starts
        check_pairable(plan_scenario(replace(request, target=target)), block_ns)
    parent = request.out or default_out(new_run_id(f"{request.scenario.document.name}-paired"))
    if parent.exists() and any(parent.iterdir()):
        raise ConfigurationError(f"{parent}: not an empty directory; --out takes an absent or empty one")
    order = PairOrder(
        scenario=str(request.scenario.path),
        newer=_target_words(words.newer, words.service),
        older=_target_words(words.older, words.against_service),
        rest=shared.words(),
        parent=parent,
        block_ns=block_ns,
    )
    with Interruption() as interruption:
        paired, code = run_paired(order, interruption, lambda text: click.echo(text, err=True))
    if paired is None:
        return code
    click.echo(paired_text(paired), err=True)
    click.echo(f"  all of it is in {parent}", err=True)
    if request.out is None:
        point_latest(parent)
    if as_json:
        click.echo(codec.to_pretty_json(paired).decode(), nl=False)
    return code


def _target_words(target: str, service: Sequence[str]) -> list[str]:
    context = click.get_current_context(silent=True)
    allowed = () if context is None else tuple(context.meta.get("harness.allowed_hosts", ()))
    words = ["--target", target, *(word for host in allowed for word in ("--allow", host))]
    return [*words, *(word for setting in service for word in ("--service", setting))]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOrder:
    """What is compared. newer, older: the words of `--target` and its `--service`. rest: what both are told alike."""

    scenario: str
    newer: Sequence[str]
    older: Sequence[str]
    rest: Sequence[str]
    parent: Path
    block_ns: int


def check_pairable(plan: Plan, block_ns: int) -> None:
    """Raise ConfigurationError for a plan that cannot be dealt in blocks."""
    if any(segment.process is ArrivalProcess.CLOSED for segment in plan.load.segments):
        raise ConfigurationError("--against deals arrivals in blocks; a closed loop has none that are fixed beforehand")
    shortest = min(phase.end_ns - phase.start_ns for phase in plan.phases)
    if 2 * block_ns > shortest:
        raise ConfigurationError(
            f"--block is {block_ns / 1e9:g} s, and a phase of {shortest / 1e9:g} s holds no pair of such blocks",
            advice="make the blocks shorter, or the phases longer",
        )


def run_paired(order: PairOrder, interruption: Interruption, say: Callable[[str], None]) -> tuple[Paired | None, int]:
    """Run both, compare them and write `paired.json`; return the comparison and the exit code. Raises HarnessError.

    None where one of the two could not run; the exit code is then its own.
    """
    order.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="harness-pair-") as place:
        meeting = Path(place)
        commands: Mapping[str, Sequence[str]] = {
            name: [
                *(sys.executable, "-m", "harness", "run", order.scenario, "--out", str(order.parent / name)),
                *(order.older if name == "older" else order.newer),
                *order.rest,
                *("--pair", str(Rendezvous(place=meeting, arm=arm, block_ns=order.block_ns))),
            ]
            for arm, name in enumerate(ARMS)
        }
        codes = run_together(commands, meeting, interruption, say)
        for name in ARMS:
            write_whole(order.parent / f"{name}.log", (meeting / f"{name}.log").read_bytes())
    failed = [name for name in ARMS if codes[name] not in (0, 1, 3, 4)]
    if failed:
        # One that was told to end because its neighbour could not run is not the one to show.
        worst = next((name for name in failed if codes[name] in (2, 5)), failed[0])
        lines = (order.parent / f"{worst}.log").read_text(encoding="utf-8", errors="replace").splitlines()
        say(f"the {worst} version could not be run (exit {codes[worst]}):")
        for line in [line for line in lines if line.startswith(("error", "  "))][-6:] or lines[-6:]:
            say(f"  {line}")
        return None, codes[worst] if codes[worst] > 0 else 5
    try:
        newer, older = (RunDirectory.open(order.parent / name) for name in ("newer", "older"))
        paired = compare_pair(newer, older)
    except RunDirectoryError as error:
        raise ConfigurationError(str(error)) from error
    write_whole(order.parent / PAIRED_NAME, codec.to_pretty_json(paired))
    return paired, exit_code_of(paired)


def paired_text(paired: Paired) -> str:
    """Return the comparison as a table, and what it comes to."""
    rows = [("phase", "figure", "older", "newer", "difference", "between", "pairs", "")]
    rows += [
        (
            d.phase,
            d.quantity,
            figure_text(d, d.older),
            figure_text(d, d.newer),
            f"{d.value:+.1%}",
            f"{d.lower:+.1%} and {d.upper:+.1%}",
            str(d.pairs),
            d.finding,
        )
        for d in paired.differences
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(7)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[7]]).rstrip() for row in rows]
    verdicts = ", ".join(f"{name} {verdict}" for name, verdict in paired.verdicts.items())
    return "\n".join([*lines, "", f"{paired.finding}: {paired.reason}", f"  by themselves: {verdicts}"])
