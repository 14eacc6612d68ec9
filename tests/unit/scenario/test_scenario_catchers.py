"""Every catcher names a defect that exists, a scenario that can be planned as shortened, and results that it really has."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.checks import PLANNERS
from harness.cli.gate_rounds import rounds_of
from harness.cli.gate_runs import finding_of
from harness.cli.gate_table import Finding, Matrix, Trial, matrix_markdown, matrix_text, read_matrices
from harness.errors import ConfigurationError, ExitCode
from harness.model.judgement import Status
from harness.rundir import codec
from harness.scenario import compile_plan, find_scenario, read_scenario
from harness.scenario.catchers import CATCHERS, IN_CI, Catcher, chosen, shard_of, uncaught_of
from harness.target.embedded import EmbeddedTarget
from reference_service.defects import DEFECTS, planted
from reference_service.parts import Parts


@pytest.mark.parametrize("catcher", CATCHERS, ids=lambda catcher: catcher.defect)
def test_a_catcher_can_be_planned_and_has_the_results_that_it_names(catcher) -> None:  # type: ignore[no-untyped-def]
    assert catcher.defect in DEFECTS
    scenario = read_scenario(find_scenario(catcher.scenario), catcher.overrides)
    offer = EmbeddedTarget(service_settings={f"SERVICE_{name.upper()}": value for name, value in catcher.settings}).offer()
    plan = compile_plan(scenario, offer, run_id="r", seed=1, planners=PLANNERS)
    asked = {part.id for part in (*plan.objectives, *(check for check in plan.checks if check.not_offered is None))}
    assert set(catcher.results) <= asked
    assert plan.end_ns <= 45e9


def test_eight_run_in_continuous_integration_and_shards_share_out_all() -> None:
    assert [c.defect for c in chosen((), everything=False)] == [c.defect for c in CATCHERS if c.defect in IN_CI]
    assert len(IN_CI) == len(chosen((), everything=False)) == 8
    shards = [shard_of(chosen((), everything=True), f"{i}/4") for i in (1, 2, 3, 4)]
    assert sorted(c.defect for shard in shards for c in shard) == sorted(c.defect for c in CATCHERS)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "a/b", "1/0", ""])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--shard"):
        shard_of(CATCHERS, text)


def test_an_unknown_defect_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'fallback-missing'"):
        chosen(("fallback-misssing",), everything=False)


def catcher(defect: str, *results: str, scenario: str = "s", **more: object) -> Catcher:
    return Catcher(defect=defect, scenario=scenario, results=results, **more)  # type: ignore[arg-type]


PARTS = {
    "a": frozenset({"cache"}),
    "b": frozenset({"log"}),
    "c": frozenset({"cache"}),
    "d": frozenset({"route"}),
    "e": frozenset(),
}


@pytest.mark.parametrize(
    ("catchers", "rounds"),
    [
        ([catcher("a", "x"), catcher("b", "y")], [("a", "b")]),
        ([catcher("a", "x"), catcher("c", "y")], [("a",), ("c",)]),  # both break the cache
        ([catcher("a", "x"), catcher("b", "x", "y")], [("a",), ("b",)]),  # both are caught by x
        ([catcher("a", "x", disturbs=("y",)), catcher("b", "y")], [("a",), ("b",)]),
        ([catcher("a", "x"), catcher("b", "y", disturbs=("x",))], [("a",), ("b",)]),
        ([catcher("a", "x", alone=True), catcher("b", "y")], [("a",), ("b",)]),
        ([catcher("a", "x"), catcher("b", "y", scenario="t")], [("a",), ("b",)]),
        ([catcher("a", "x"), catcher("b", "y", overrides=("p.for=9s",))], [("a",), ("b",)]),
        ([catcher("a", "x"), catcher("e", "y"), catcher("unknown", "z")], [("a",), ("e",), ("unknown",)]),
        ([catcher("a", "x"), catcher("c", "y"), catcher("b", "z"), catcher("d", "y")], [("a", "b", "d"), ("c",)]),
    ],
)
def test_defects_share_a_run_only_where_each_can_be_told_apart(catchers: list[Catcher], rounds: list[tuple[str, ...]]) -> None:
    assert [each.defects for each in rounds_of(catchers, control=False, parts=PARTS)] == rounds


def test_each_scenario_runs_healthy_once_before_its_defects_and_one_a_run_unless_told_otherwise() -> None:
    catchers = [catcher("a", "x"), catcher("b", "y", scenario="t"), catcher("d", "z")]
    found = rounds_of(catchers, control=True)
    assert [(each.first.scenario, each.defects) for each in found] == [
        ("s", ()), ("s", ("a",)), ("s", ("d",)), ("t", ()), ("t", ("b",)),
    ]  # fmt: skip
    assert [each.name for each in found] == ["healthy-s", "a", "d", "healthy-t", "b"]
    assert [each.name for each in rounds_of(catchers, control=False, parts=PARTS)] == ["2-defects-s", "b"]


def test_every_round_of_the_whole_gate_can_be_planted_in_one_service() -> None:
    from harness.target.embedded.defects import parts_of_defects

    rounds = rounds_of(CATCHERS, control=False, parts=parts_of_defects())
    assert sorted(name for each in rounds for name in each.defects) == sorted(c.defect for c in CATCHERS)
    assert len(rounds) < 0.7 * len(CATCHERS)
    for each in rounds:
        planted("+".join(each.defects), "yes", Parts(), "plant")  # two that break the same part would raise


@dataclass
class Row:
    id: str
    status: Status


@dataclass
class Judged:
    verdict: Status
    results: list[Row]


@pytest.mark.parametrize(
    ("verdict", "failed", "must_fail", "finding"),
    [
        (Status.FAIL, ["a"], ["a"], Finding.CAUGHT),
        (Status.FAIL, ["b"], ["a"], Finding.MISSED),  # another reason is no catch
        (Status.PASS, [], ["a"], Finding.MISSED),
        (Status.INCONCLUSIVE, [], ["a"], Finding.MISSED),
        (Status.INVALID, [], ["a"], Finding.UNJUDGED),
        (Status.PASS, [], None, Finding.CLEAN),
        (Status.FAIL, ["a"], None, Finding.FALSE_ALARM),
        (Status.INVALID, [], None, Finding.UNJUDGED),
        (Status.INCONCLUSIVE, [], None, Finding.UNJUDGED),
    ],
)
def test_a_trial_is_what_its_named_results_make_it(
    verdict: Status, failed: list[str], must_fail: list[str] | None, finding: Finding
) -> None:
    judged = Judged(verdict, [Row(name, Status.FAIL) for name in failed])
    assert finding_of(judged, must_fail)[0] is finding  # type: ignore[arg-type]


def test_a_named_result_that_was_not_judged_is_no_miss_though_the_run_failed_by_another() -> None:
    judged = Judged(Status.FAIL, [Row("a", Status.INVALID), Row("b", Status.FAIL)])
    assert finding_of(judged, ["a"])[0] is Finding.UNJUDGED  # type: ignore[arg-type]
    assert finding_of(judged, ["b"])[0] is Finding.CAUGHT  # type: ignore[arg-type]
    assert finding_of(judged, ["c"])[0] is Finding.MISSED  # type: ignore[arg-type]


def trial(finding: Finding, defect: str | None = "d") -> Trial:
    return Trial(defect=defect, scenario="s", finding=finding, by=(), reason="why", took_s=1.0, directory="x")


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([Finding.CAUGHT, Finding.CLEAN], ExitCode.PASS),
        ([Finding.CAUGHT, Finding.MISSED], ExitCode.FAIL),
        ([Finding.CAUGHT, Finding.FALSE_ALARM], ExitCode.FAIL),
        ([Finding.CAUGHT, Finding.UNJUDGED], ExitCode.INCONCLUSIVE),
        ([], ExitCode.INCONCLUSIVE),
    ],
)
def test_a_gate_with_a_missed_defect_or_a_false_alarm_fails_and_an_empty_one_proves_nothing(
    findings: list[Finding], code: ExitCode
) -> None:
    assert Matrix(trials=tuple(trial(f) for f in findings)).exit_code is code


def test_the_matrix_says_what_was_caught_and_adds_it_up() -> None:
    text = matrix_text(Matrix(trials=(trial(Finding.CLEAN, None), trial(Finding.CAUGHT), trial(Finding.MISSED, "e"))))
    assert "1 of 2 planted defects caught; 0 false alarms in 1 healthy runs" in text
    assert "MISSED" in text


def test_a_defect_without_a_catcher_is_listed_and_keeps_the_gate_from_passing() -> None:
    assert uncaught_of(["fallback-missing", "new-defect"]) == ("new-defect",)
    matrix = Matrix(trials=(trial(Finding.CAUGHT), trial(Finding.CLEAN, None)), uncaught=("new-defect",))
    assert matrix.exit_code is ExitCode.INCONCLUSIVE
    assert "1 more have no catcher yet" in matrix.sentence()
    assert "| `new-defect` | - | no catcher yet |" in matrix_markdown(matrix, "harness verify-gate")


def test_shards_are_put_together_and_what_another_shard_tried_is_no_longer_without(tmp_path: Path) -> None:
    for name, matrix in (
        ("1", Matrix(trials=(trial(Finding.CAUGHT, "a"),), uncaught=("b", "c"))),
        ("2", Matrix(trials=(trial(Finding.MISSED, "b"),), uncaught=("c",))),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gate.json").write_bytes(codec.to_pretty_json(matrix))
    merged = read_matrices([tmp_path / "1", tmp_path / "2"])
    assert [t.defect for t in merged.trials] == ["a", "b"]
    assert merged.uncaught == ("c",)
    assert merged.exit_code is ExitCode.FAIL


def test_the_matrix_of_a_bundle_says_which_share_of_all_it_is_and_who_looks_for_the_rest() -> None:
    matrix = Matrix(trials=(trial(Finding.CAUGHT, "a"), trial(Finding.CAUGHT, "b")), bundle="gate", not_its=("c", "d"))
    assert matrix.exit_code is ExitCode.PASS
    assert "2 of 2 planted defects caught, 50 % of the 4 of which the bundle gate was asked" in matrix.sentence()
    assert "for other scenarios than those of the bundle gate: c, d" in matrix_text(matrix)
    assert "| `c` | - | for other scenarios" in matrix_markdown(matrix, "harness verify-gate")
    missed = Matrix(trials=(trial(Finding.CAUGHT, "a"), trial(Finding.MISSED, "b")), bundle="gate", not_its=("c", "d"))
    assert missed.exit_code is ExitCode.FAIL
    assert ", 25 % of the 4" in missed.sentence()


def test_what_a_bundle_caught_is_not_put_together_with_what_all_scenarios_did(tmp_path: Path) -> None:
    for name, bundle in (("1", None), ("2", "gate")):
        (tmp_path / name).mkdir()
        matrix = Matrix(trials=(trial(Finding.CAUGHT, name),), bundle=bundle, not_its=("c",) if bundle else ())
        (tmp_path / name / "gate.json").write_bytes(codec.to_pretty_json(matrix))
    with pytest.raises(ConfigurationError, match="--merge"):
        read_matrices([tmp_path / "1", tmp_path / "2"])
    assert read_matrices([tmp_path / "2"]).not_its == ("c",)


@pytest.mark.parametrize("text", ["", "{}", '{"trials": [], "schema": "harness.gate/9"}'])
def test_a_matrix_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"gate\.json"):
        read_matrices([tmp_path])
