"""What plug-ins judge: once, in the run; kept in the run directory; and what they do wrong is never a pass."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from run_builder import PHASES, RunBuilder, healthy_samples

from harness.compare import compare
from harness.errors import ConfigurationError
from harness.extensions import CheckExtension, Counted, Figure, ObjectiveExtension
from harness.extensions.found import Extensions
from harness.extensions.judged import judge_extensions
from harness.judge import judge, judge_and_write
from harness.measure import read_run
from harness.measure.baseline import configuration_of
from harness.model.check import CheckSteps
from harness.model.judgement import Judgement, Status
from harness.model.objective import Kind, Objective, Quantity, Severity
from harness.model.plan import PlannedCheck, PluginReference
from harness.rundir import RunDirectory

SHARE = Objective(
    id="wet-answers", kind=Kind.RATIO, quantity=Quantity.EXTENSION, op="<=", limit=0.2, written="wet answers at most 20%",
    during=("steady",), expression="wet answers",
)  # fmt: skip
FIGURE = replace(SHARE, id="drops", kind=Kind.BUDGET, limit=50.0, during=(), expression="drops")
CHECK = PlannedCheck(id="dry", name="roof is dry", phase="steady", settings={}, covers=("R9",))


def run_with(path: Path, *objectives: Objective, checks: tuple[PlannedCheck, ...] = ()) -> RunDirectory:
    run = RunBuilder(objectives=objectives, checks=checks, manifest=False).build(path / "run")
    plan = run.read_plan()
    brings = (*(o.expression or "" for o in objectives), *(check.name for check in checks))
    run.write_plan(replace(plan, plugins=(PluginReference(path="./ours.py", digest="d" * 64, brings=brings),)))
    return run


def judged(run: RunDirectory, extensions: Extensions, **more: float) -> list[Judgement]:
    """Return the rows of the plug-ins in the verdict, after they were judged as a run's end does."""
    run.write_recorded(judge_extensions(read_run(run), extensions, **more))
    run.write_manifest()
    names = {"wet-answers", "drops", "dry"}
    return [row for row in judge(run).results if row.id in names]


def of_share(share) -> Extensions:
    extension = ObjectiveExtension(name="wet answers", title="were wet", share=share)
    return Extensions(objectives={"wet answers": extension}, sources={"wet answers": "./ours.py"})


def of_figure(figure) -> Extensions:
    return Extensions(
        objectives={"drops": ObjectiveExtension(name="drops", title="d", figure=figure)}, sources={"drops": "./ours.py"}
    )


def of_check(judge_one) -> Extensions:
    extension = CheckExtension(name="roof is dry", title="t", plan=lambda *_: CheckSteps(), judge=judge_one)
    return Extensions(checks={"roof is dry": extension}, sources={"roof is dry": "./ours.py"})


def hits(of: float):
    """Count every request, of which so many are hits, spread evenly."""

    def share(reading) -> Counted:
        n = reading.requests.size
        every = np.zeros(n, dtype=bool)
        if of:
            every[:: round(1 / of)] = True
        return Counted(whole=np.ones(n, dtype=bool), hits=every)

    return share


@pytest.mark.parametrize(
    ("op", "limit", "of", "status"),
    [
        ("<=", 0.2, 0.05, Status.PASS),
        ("<=", 0.2, 0.5, Status.FAIL),
        ("<=", 0.2, 0.2, Status.INCONCLUSIVE),
        (">=", 0.8, 1.0, Status.PASS),
        (">=", 0.8, 0.5, Status.FAIL),
    ],
)
def test_a_share_is_judged_by_the_bounds_of_every_other_share(op: str, limit: float, of: float, status: Status, tmp_path: Path):
    (row,) = judged(run_with(tmp_path, replace(SHARE, op=op, limit=limit)), of_share(hits(of)))
    assert row.status is status, row.reason
    assert "were wet" in row.reason
    assert row.test is not None
    assert (row.test.n, row.test.confidence) == (190, 0.95)  # ten of 200 straddle the fault's edge
    assert row.phase == "steady"


def test_only_ordinary_load_and_what_the_selectors_name_is_counted(tmp_path: Path):
    (row,) = judged(run_with(tmp_path, replace(SHARE, streamed=False)), of_share(hits(0.05)))
    assert (row.status, row.test.n) == (Status.INCONCLUSIVE, 0)


@pytest.mark.parametrize(
    ("figure", "status"),
    [
        (Figure(value=42.0, of=7, says="42 drops fell"), Status.PASS),
        (Figure(value=51.0, of=7, says="51 drops fell"), Status.FAIL),
        (Figure(value=None, of=7, says="nobody counted"), Status.INCONCLUSIVE),
        (Figure(value=float("nan"), of=7, says="nobody counted"), Status.INCONCLUSIVE),
        (Figure(value=0.0, of=0, says="no roof"), Status.INCONCLUSIVE),
    ],
)
def test_a_figure_is_held_to_its_limit_and_no_data_is_no_pass(figure: Figure, status: Status, tmp_path: Path):
    (row,) = judged(run_with(tmp_path, FIGURE), of_figure(lambda _: figure))
    assert row.status is status
    assert row.reason == f"{figure.says} (limit at most 50)"


def raising(*_):
    raise KeyError("roof")


def hanging(*_):
    time.sleep(3)


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        (raising, "plug-in ./ours.py, objective wet answers: it raised KeyError: 'roof'"),
        (hanging, "gave up after"),
        (lambda _: (1, 2), "share must return Counted"),
        (lambda _: Counted(whole=np.ones(3, dtype=bool), hits=np.ones(3, dtype=bool)), "over the 640 requests"),
        (lambda r: Counted(whole=np.ones(r.requests.size), hits=np.ones(r.requests.size)), "arrays of truths"),
    ],
)
def test_a_measure_that_goes_wrong_is_inconclusive_and_says_whose_it_is(measure, told: str, tmp_path: Path):
    (row,) = judged(run_with(tmp_path, SHARE), of_share(measure), within_s=0.3)
    assert row.status is Status.INCONCLUSIVE
    assert told in row.reason


@pytest.mark.parametrize(
    ("judge_one", "told"), [(raising, "it raised KeyError"), (lambda *_: True, "judge must return a Judgement")]
)
def test_a_check_that_goes_wrong_is_inconclusive(judge_one, told: str, tmp_path: Path):
    (row,) = judged(run_with(tmp_path, checks=(CHECK,)), of_check(judge_one))
    assert (row.status, row.covers) == (Status.INCONCLUSIVE, ("R9",))
    assert told in row.reason


def test_a_check_answers_for_its_own_row_only(tmp_path: Path):
    def judge_one(reading, check) -> Judgement:
        return Judgement(
            id="error-rate", kind=Kind.RATIO, severity=Severity.WARN, status=Status.FAIL, reason="wet", covers=("C1",)
        )

    (row,) = judged(run_with(tmp_path, checks=(CHECK,)), of_check(judge_one))
    assert (row.id, row.kind, row.severity, row.covers, row.status) == ("dry", Kind.CHECK, Severity.GATE, ("R9",), Status.FAIL)


def test_nobody_was_asked_is_inconclusive_and_says_what_to_do(tmp_path: Path):
    run = run_with(tmp_path, SHARE, checks=(CHECK,))
    run.write_manifest()
    rows = [row for row in judge(run).results if row.id in {"wet-answers", "dry"}]
    assert [row.status for row in rows] == [Status.INCONCLUSIVE] * 2
    assert all("run it again" in row.reason for row in rows)


def test_judging_again_asks_nobody_and_comes_to_the_same(tmp_path: Path):
    run = run_with(tmp_path, SHARE)
    first = judged(run, of_share(hits(0.05)))
    assert [row for row in judge(run).results if row.id == "wet-answers"] == first
    assert run.recorded().plugins == {"./ours.py": "d" * 64}


def test_runs_of_two_versions_of_a_plug_in_were_not_asked_the_same(tmp_path: Path):
    """What a plug-in breaks and counts is its code's to say: another file is another question."""
    runs = []
    for name, digest in (("a", "d" * 64), ("b", "e" * 64), ("c", "d" * 64)):
        run = run_with(tmp_path / name, SHARE)
        plugins = (replace(run.read_plan().plugins[0], digest=digest),)
        run.write_plan(replace(run.read_plan(), plugins=plugins))
        run.write_manifest()
        judge_and_write(run)
        runs.append(run)
    configurations = [configuration_of(run.read_plan()) for run in runs]
    assert configurations[0] == configurations[2] != configurations[1]
    assert compare(runs[0], runs[2]).differences
    with pytest.raises(ConfigurationError, match="the plug-ins differ"):
        compare(runs[0], runs[1])


def test_what_was_kept_cannot_be_bought_with_an_editor(tmp_path: Path):
    run = run_with(tmp_path, SHARE)
    judged(run, of_share(hits(0.5)))
    path = run.path / "extensions.json"
    path.write_text(path.read_text().replace('"fail"', '"pass"'))
    assert run.tampered() == ["extensions.json"]
    assert judge(run).verdict is not Status.PASS


def test_a_plug_in_share_says_nothing_of_recovery(tmp_path: Path):
    """What a steady state is follows from the harness's own shares: those of plug-ins cannot be counted again offline."""
    run = run_with(tmp_path, replace(SHARE, during=("steady", "outage", "recovery")))
    rows = judged(run, of_share(hits(0.05)))
    assert len(rows) == len(PHASES) - 1
    assert healthy_samples(1)
