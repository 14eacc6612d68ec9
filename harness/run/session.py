"""A scenario from its file to a judged and reported run: what `harness run` does, for programs too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.compare.trend import TREND_NAME, append_figures, figures_of
from harness.errors import ExitCode, HarnessError, InterruptedRunError, NotOfferedError, RunDirectoryError
from harness.extensions.found import NONE, Extensions, find_extensions
from harness.extensions.judged import judge_extensions
from harness.judge import judge_and_write
from harness.judge.regression import NAME as BASELINE_NAME
from harness.judge.regression import check_comparable, read_baseline
from harness.measure import close_run, read_run, seal, write_measurements
from harness.model.judgement import Verdict
from harness.model.notice import Channel
from harness.model.plan import Dealt, PhaseKind, Plan, PluginReference
from harness.model.target import Announced, Target
from harness.readiness.history import HistoryLine, append, ended, started, void
from harness.report import write_reports
from harness.run.attending import Attendant, questions_of
from harness.run.conduct import View, conduct
from harness.run.interruption import Interruption
from harness.run.load_process import Gathering
from harness.run.look import look_at_locustfile
from harness.run.pair import Rendezvous
from harness.run.places import default_out, new_run_id, point_latest, utc_now
from harness.run.target_lock import sole_run
from harness.rundir import RunDirectory, codec
from harness.rundir.files import write_whole
from harness.scenario import ScenarioFile, compile_plan, read_scenario
from harness.target.supervise import default_state_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What to run. out: an absent or empty directory, or None for one of its own below `reports/`.

    only_faults: the ids of those that are applied, None for all; such a run proves no checklist row.
    rendezvous: where it meets the run of another version, with which it shares its schedule.
    baseline: what it is compared with, written by `harness baseline save`; the run directory keeps a copy.
    history: where the run is remembered (`harness.readiness.history`), None for nowhere.
    attendant: makes it a drill: whom to ask before each fault.
    instead: what runs in its place, where the target lacks something that it asks for. reference_only: left out of a
    bundle on a target that a file describes.
    """

    scenario: ScenarioFile
    target: Target
    seed: int = 1
    out: Path | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    rehearsal: bool = True
    workers: int = 1
    only_faults: frozenset[str] | None = None
    gathering: Gathering | None = None
    history: Path | None = None
    baseline: Path | None = None
    attendant: Attendant | None = None
    rendezvous: Rendezvous | None = None
    instead: tuple[ScenarioFile, ...] = ()
    reference_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What came of it. verdict: None where nothing could be measured. trouble: what ended the run early, if anything."""

    run: RunDirectory
    verdict: Verdict | None
    reports: Sequence[Path]
    trouble: HarnessError | None


def plan_scenario(request: RunRequest, run_id: str = "plan") -> Plan:
    """Return the plan of a request; starts nothing, and imports no plug-in file. Raises ConfigurationError."""
    return _plan(request, run_id, find_extensions(request.scenario, imports=False))


def plan_to_run(request: RunRequest) -> Plan:
    """Return the plan of a request whose faults are about to be applied: its plug-ins are imported. Raises ConfigurationError."""
    return _plan(request, "plan", find_extensions(request.scenario, imports=True))


def _plan(request: RunRequest, run_id: str, extensions: Extensions) -> Plan:
    from harness.checks import PLANNERS

    plan = compile_plan(
        request.scenario,
        request.target.offer(),
        run_id=run_id,
        seed=request.seed,
        planners={**PLANNERS, **extensions.planners},
        workers=request.workers,
        labels=request.labels,
        measures=extensions.measures,
        plugins=extensions.references,
    )
    if request.only_faults is not None:
        kept = tuple(fault for fault in plan.faults if fault.id in request.only_faults)
        left_out = f"faults={','.join(fault.id for fault in kept)}"
        plan = replace(plan, faults=kept, overrides=(*plan.overrides, left_out))
    if request.attendant is not None:
        questions_of(plan)  # told before anything starts
    if request.rendezvous is not None:
        plan = _dealt(plan, request.rendezvous)
    if request.baseline is None:
        return plan
    if request.baseline.is_file():  # one that is not there is the verdict's to tell: inconclusive
        check_comparable(read_baseline(request.baseline), plan, str(request.baseline))
    return replace(plan, baseline=str(request.baseline))


def _dealt(plan: Plan, rendezvous: Rendezvous) -> Plan:
    """Return the half of a plan that this run of a pair sends; such a run proves no checklist row."""
    dealt = Dealt(arm=rendezvous.arm, block_ns=rendezvous.block_ns)
    in_bursts = sum(burst.count for burst in plan.load.bursts)
    return replace(
        plan,
        load=replace(plan.load, dealt=dealt),
        planned_requests=(plan.planned_requests - in_bursts) // 2 + in_bursts,
        overrides=(*plan.overrides, f"paired in blocks of {dealt.block_ns / 1e9:g}s"),
    )


def run_scenario(
    request: RunRequest,
    *,
    interruption: Interruption,
    view: Callable[[RunDirectory, Plan], View],
    say: Callable[[str], None] = lambda _: None,
) -> RunResult:
    """Run, judge and report one scenario.

    Raises ConfigurationError and StorageError before anything starts. Trouble after that is returned with the
    result, so that what was measured until then is kept, judged (invalid) and reported.
    """
    with sole_run(request.target):
        return _run_alone(request, interruption=interruption, view=view, say=say)


def _run_alone(
    request: RunRequest,
    *,
    interruption: Interruption,
    view: Callable[[RunDirectory, Plan], View],
    say: Callable[[str], None],
) -> RunResult:
    run_id = new_run_id(request.scenario.document.name)
    extensions = find_extensions(request.scenario, imports=True)
    for reference in extensions.references:
        say(f"plug-in {reference.path}{_digested(reference)}: {', '.join(reference.brings)}")
    plan = replace(_plan(request, run_id, extensions), rehearsed=request.rehearsal)
    if (found := look_at_locustfile(plan)) is not None:
        say(found)
    channels = request.target.channels() if isinstance(request.target, Announced) else ()
    run = RunDirectory.create(request.out or default_out(run_id))
    with run.written():
        if not channels:
            return _run_in(run, plan, request, extensions, interruption=interruption, view=view, say=say)
        return _run_told(run, plan, request, extensions, channels, interruption=interruption, view=view, say=say)


def _run_told(
    run: RunDirectory,
    plan: Plan,
    request: RunRequest,
    extensions: Extensions,
    channels: Sequence[Channel],
    *,
    interruption: Interruption,
    view: Callable[[RunDirectory, Plan], View],
    say: Callable[[str], None],
) -> RunResult:
    """Run as `_run_in` does, and tell those who want to hear of it."""
    from harness.run.notify import Notifier

    notifier = Notifier(channels, plan, say)
    run.heard_by = notifier.hear
    result: RunResult | None = None
    try:
        result = _run_in(run, plan, request, extensions, interruption=interruption, view=view, say=say)
        return result
    finally:
        with interruption.shielded():
            if result is not None:
                notifier.ended(result.verdict, exit_code_of(result, strict=False))
            notifier.close()


def _run_in(
    run: RunDirectory,
    plan: Plan,
    request: RunRequest,
    extensions: Extensions,
    *,
    interruption: Interruption,
    view: Callable[[RunDirectory, Plan], View],
    say: Callable[[str], None],
) -> RunResult:
    if request.baseline is not None and request.baseline.is_file():
        write_whole(run.path / BASELINE_NAME, request.baseline.read_bytes())
    _remember(request, started(plan, utc_now()))  # before anything starts: a run ended by hand is an attempt too
    trouble: HarnessError | None = None
    try:
        conduct(
            plan,
            request.target,
            run,
            interruption=interruption,
            view=lambda fixed: view(run, fixed),
            state_directory=default_state_directory(),
            say=say,
            rehearsal=request.rehearsal,
            gathering=request.gathering,
            meet=None if request.rendezvous is None else request.rendezvous.meet,
            attendant=request.attendant,
        )
    except HarnessError as error:
        trouble = error
    if isinstance(trouble, InterruptedRunError) and interruption.skip_report:
        return RunResult(run=run, verdict=None, reports=(), trouble=trouble)
    if not _was_loaded(run):  # there is nothing to judge
        _remember(request, void(plan, utc_now()))
        return RunResult(run=run, verdict=None, reports=(), trouble=trouble)
    with interruption.shielded():
        try:
            verdict, reports = judge_and_report(run, extensions)
        except HarnessError as error:
            return RunResult(run=run, verdict=None, reports=(), trouble=trouble or error)
        _remember(request, ended(run.read_plan(), verdict, utc_now()))
        _remember_figures(request, run, verdict, say)
    if request.out is None:
        point_latest(run.path)
    return RunResult(run=run, verdict=verdict, reports=reports, trouble=trouble)


def _was_loaded(run: RunDirectory) -> bool:
    """Return whether any load was sent; not where the disk was full before even the plan could be written."""
    try:
        return run.read_plan().clock is not None
    except RunDirectoryError:
        return False


def _remember(request: RunRequest, line: HistoryLine) -> None:
    if request.history is not None:
        append(request.history, line)


def _remember_figures(request: RunRequest, run: RunDirectory, verdict: Verdict, say: Callable[[str], None]) -> None:
    """Add the run to the trend beside the history; the verdict stands whatever becomes of it."""
    if request.history is None:
        return
    try:
        append_figures(request.history.with_name(TREND_NAME), figures_of(run, verdict))
    except HarnessError as error:
        say(f"WARNING: the run is not in the trend: {error}")


def _digested(reference: PluginReference) -> str:
    return "" if reference.digest is None else f" (sha256 {reference.digest[:12]})"


def judge_and_report(run: RunDirectory, extensions: Extensions = NONE) -> tuple[Verdict, list[Path]]:
    """Close, measure, judge and report a run directory, again if need be. Raises RunDirectoryError, StorageError.

    extensions: those of the run that ends here, asked once; of a run that is judged again nobody's code is asked.
    """
    closed_now = close_run(run)
    reading = read_run(run)
    if closed_now:
        if reading.plan.plugins and extensions is not NONE:
            run.write_recorded(judge_extensions(reading, extensions))
        seal(run)
    write_measurements(run, reading)
    verdict = judge_and_write(run, reading)
    return verdict, write_reports(run)


def exit_code_of(result: RunResult, *, strict: bool) -> int:
    """Return what the pipeline reads: our own trouble before the verdict; `strict` turns warn into fail."""
    if result.trouble is not None:
        return int(result.trouble.exit_code)
    assert result.verdict is not None
    if strict and result.verdict.verdict.value == "warn":
        return 1
    return result.verdict.exit_code


def worst_exit_code(results: Sequence[RunResult], *, strict: bool) -> int:
    """Return the exit code of several runs: trouble first, then fail before invalid before inconclusive."""
    order = [ExitCode.SIGINT, ExitCode.SIGTERM, ExitCode.ABORTED, ExitCode.COULD_NOT_RUN, ExitCode.CONFIGURATION]
    order += [ExitCode.FAIL, ExitCode.INVALID, ExitCode.INCONCLUSIVE, ExitCode.PASS]
    codes = {exit_code_of(result, strict=strict) for result in results}
    return int(next(code for code in order if code in codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """A scenario of a bundle that the target has nothing for. reasons: each with its place and the missing key."""

    scenario: str
    reasons: tuple[str, ...]


def plan_all(
    requests: Sequence[RunRequest], bundle: str | None, *, say: Callable[[str], None]
) -> tuple[list[RunRequest], list[Plan], list[NotApplicable]]:
    """Return what can be run, with its plans, and of a bundle what the target has nothing for; that is said too.

    Plug-ins are imported here, once before anything starts. Raises ConfigurationError; NotOfferedError where nothing
    is left, or where a person named the scenario.
    """
    kept: list[RunRequest] = []
    plans: list[Plan] = []
    left_out: list[NotApplicable] = []
    waiting = list(requests)
    while waiting:
        request = waiting.pop(0)
        name = request.scenario.document.name
        if request.reference_only and request.target.offer().reference.kind == "external":
            left_out.append(_said(say, name, ("what it asks for has the reference service's own names",)))
            continue
        try:
            plans.append(plan_to_run(request))
            kept.append(request)
        except NotOfferedError as error:
            if bundle is None:
                raise
            reasons = tuple(error.problems)
            if request.instead:
                waiting[:0] = parts = _parts_of(request)
                reasons = (f"in its place: {', '.join(part.scenario.document.name for part in parts)}",)
                name += ", as one"
            elif (rest := _without_checks(request)) is not None:
                kept.append(rest[0])
                plans.append(rest[1])
                name += ", its checks"
            left_out.append(_said(say, name, reasons))
    if not kept:
        raise NotOfferedError(f"nothing in the bundle {bundle} applies to this target: its description lacks what is told above")
    return kept, plans, left_out


def _said(say: Callable[[str], None], name: str, reasons: tuple[str, ...]) -> NotApplicable:
    say(f"not applicable: {name}: {'; '.join(reasons)}")
    return NotApplicable(scenario=name, reasons=reasons)


def _parts_of(request: RunRequest) -> list[RunRequest]:
    """Return the requests for what runs in place of one, each in a directory beside the one that it would have had."""
    place = request.out
    number = "" if place is None else place.name.partition("-")[0]
    return [
        replace(
            request,
            scenario=part,
            instead=(),
            out=None if place is None else place.with_name(f"{number}-{part.document.name}"),
        )
        for part in request.instead
    ]


def _without_checks(request: RunRequest) -> tuple[RunRequest, Plan] | None:
    """Return what is left of a scenario that breaks something, when only its checks do not apply; None where nothing is."""
    scenario = request.scenario
    if not scenario.document.checks or not any(phase.kind is PhaseKind.FAULT for phase in scenario.document.phases):
        return None
    rest = replace(request, scenario=read_scenario(scenario.path, (*scenario.overrides, "checks=[]")))
    try:
        return rest, plan_scenario(rest)
    except NotOfferedError:
        return None


def write_run_index(parent: Path, results: Sequence[RunResult], left_out: Sequence[NotApplicable] = ()) -> None:
    """Write `run.json` of several scenarios run as one: each run directory with its verdict, and what did not apply."""
    rows = [
        {"directory": result.run.path.name, "verdict": None if result.verdict is None else result.verdict.verdict.value}
        for result in results
    ]
    index: dict[str, object] = {"schema": "harness.run/1", "runs": rows}
    if left_out:
        index["not_applicable"] = [{"scenario": part.scenario, "reasons": list(part.reasons)} for part in left_out]
    write_whole(parent / "run.json", codec.to_pretty_json(index))
