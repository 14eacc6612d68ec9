"""What makes a release ready, not ready, or not proven: one row and one run at a time."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from readiness_fixtures import NOW, attestation, case, history, judgement, line, row, run, waiver

from harness.model.judgement import Status
from harness.model.readiness import Decision, Exemption, Problem, Readiness, RowStatus, Supersession
from harness.readiness import changes_since, decide

P95 = "outage/latency-p95"


def only(readiness: Readiness) -> RowStatus:
    assert len(readiness.rows) == 1
    return readiness.rows[0].status


def test_a_release_whose_required_rows_all_passed_is_ready() -> None:
    ready = decide(case([row("F5", P95)]))
    assert (ready.decision, ready.exit_code) == (Decision.READY, 0)
    assert only(ready) is RowStatus.VERIFIED
    assert ready.rows[0].attempts == 1


def test_one_failed_row_makes_it_not_ready_whatever_else_passed() -> None:
    runs = [run("run-1", judgement(), judgement("error-rate", Status.FAIL))]
    decided = decide(case([row("F5", P95), row("R8", "outage/error-rate")], runs))
    assert (decided.decision, decided.exit_code) == (Decision.NOT_READY, 1)
    assert [each.status for each in decided.rows] == [RowStatus.VERIFIED, RowStatus.FAILED]
    assert "R8" in decided.reasons[0]


def test_a_failed_row_that_is_not_required_stops_the_release_all_the_same() -> None:
    runs = [run("run-1", judgement(), judgement("error-rate", Status.FAIL))]
    decided = decide(case([row("F5", P95), row("R8", "outage/error-rate", required=False)], runs))
    assert decided.decision is Decision.NOT_READY


@pytest.mark.parametrize(("status", "covers", "overridden", "found"), [
    (Status.FAIL, ("F5",), False, RowStatus.FAILED),
    (Status.FAIL, ("R8",), False, RowStatus.VERIFIED),
    (Status.INCONCLUSIVE, ("F5",), False, RowStatus.VERIFIED),
    (Status.FAIL, ("F5",), True, RowStatus.VERIFIED),  # --set made another scenario of it
])  # fmt: skip
def test_a_failure_that_says_it_covers_a_row_fails_it_unasked(
    status: Status, covers: tuple[str, ...], overridden: bool, found: RowStatus
) -> None:
    other = replace(judgement("all-at-once", status), covers=covers)
    runs = [run("run-1", judgement()), run("run-2", other, scenario="gate-guards", fails=not overridden)]
    decided = decide(case([row("F5", P95)], runs))
    assert only(decided) is found
    assert ("gate-guards/all-at-once" in decided.rows[0].reason) is (found is RowStatus.FAILED)
    assert decided.rows[0].attempts == 1


@pytest.mark.parametrize("status", [Status.WARN, Status.INCONCLUSIVE, Status.INVALID, Status.NOT_APPLICABLE, Status.WAIVED])
def test_a_result_that_did_not_pass_proves_nothing(status: Status) -> None:
    decided = decide(case([row("F5", P95)], [run("run-1", judgement(status=status))]))
    assert (only(decided), decided.decision, decided.exit_code) == (RowStatus.NOT_PROVEN, Decision.NOT_PROVEN, 3)


def test_every_phase_of_an_objective_must_pass() -> None:
    runs = [run("run-1", judgement(phase="steady"), judgement(status=Status.INCONCLUSIVE, phase="outage"))]
    decided = decide(case([row("F5", P95)], runs))
    assert only(decided) is RowStatus.NOT_PROVEN
    assert "in outage" in decided.rows[0].reason


def test_every_reference_must_be_proven() -> None:
    decided = decide(case([row("F5", P95, "other/latency-p95")]))
    assert only(decided) is RowStatus.NOT_PROVEN
    assert "no run of other" in decided.rows[0].reason


def test_a_result_that_the_run_does_not_have_is_named_with_what_may_have_been_meant() -> None:
    decided = decide(case([row("F5", "outage/latency-p59")]))
    assert only(decided) is RowStatus.NOT_PROVEN
    assert "did you mean 'latency-p95'" in decided.rows[0].reason


def test_a_row_without_runs_is_not_proven_and_a_row_without_proof_is_not_covered() -> None:
    decided = decide(case([row("F5", P95), row("F1")], []))
    assert [each.status for each in decided.rows] == [RowStatus.NOT_PROVEN, RowStatus.NOT_COVERED]
    assert decided.decision is Decision.NOT_PROVEN


def test_a_gap_keeps_a_row_from_being_verified_until_somebody_attests_it() -> None:
    rows = [row("C3", P95, gaps=("the alert at 80 %",))]
    assert only(decide(case(rows))) is RowStatus.NOT_PROVEN
    attested = decide(case(rows, attestations=[attestation("C3")]))
    assert (only(attested), attested.decision) == (RowStatus.ATTESTED, Decision.READY)


def test_a_row_that_is_not_required_may_stay_open() -> None:
    assert decide(case([row("F5", P95), row("F1", required=False)])).decision is Decision.READY


def test_a_checklist_that_requires_nothing_proves_nothing() -> None:
    assert decide(case([row("F5", P95, required=False)])).decision is Decision.NOT_PROVEN


# -- runs that may not prove -----------------------------------------------------------------------------------------------


def test_a_run_with_set_neither_proves_nor_fails_a_row() -> None:
    changed = {"proves": False, "fails": False, "overridden": True, "why_not": ("--set changed the scenario",)}
    for status in (Status.PASS, Status.FAIL):
        decided = decide(case([row("F5", P95)], [run("run-1", judgement(status=status), **changed)]))
        assert only(decided) is RowStatus.NOT_PROVEN
        assert "--set" in decided.rows[0].reason


def test_a_run_that_was_not_rehearsed_proves_nothing_but_its_failures_count() -> None:
    limits = {"proves": False, "why_not": ("not rehearsed",)}
    assert only(decide(case([row("F5", P95)], [run("run-1", judgement(), **limits)]))) is RowStatus.NOT_PROVEN
    failing = decide(case([row("F5", P95)], [run("run-1", judgement(status=Status.FAIL), **limits)]))
    assert only(failing) is RowStatus.FAILED


def test_a_failed_result_beats_every_passed_one_of_another_run() -> None:
    runs = [run("run-1"), run("run-2", judgement(status=Status.FAIL)), run("run-3")]
    assert only(decide(case([row("F5", P95)], runs))) is RowStatus.FAILED


def test_runs_of_two_target_versions_verify_nothing() -> None:
    decided = decide(case([row("F5", P95)], [run("run-1"), run("run-2", target_version="1.5.0")]))
    assert (only(decided), decided.decision) == (RowStatus.NOT_PROVEN, Decision.NOT_PROVEN)
    assert "2 targets or versions" in " ".join(decided.reasons)


def test_a_scenario_that_was_edited_between_two_runs_verifies_nothing() -> None:
    decided = decide(case([row("F5", P95)], [run("run-1"), run("run-2", scenario_digest="99" * 32)]))
    assert only(decided) is RowStatus.NOT_PROVEN
    assert "was changed between the runs" in " ".join(decided.reasons)


def test_a_problem_that_blocks_keeps_a_release_from_being_ready() -> None:
    problem = Problem(text="run x cannot be read", blocks=True)
    decided = decide(case([row("F5", P95)], problems=[problem]))
    assert decided.decision is Decision.NOT_PROVEN
    assert problem.text in decided.reasons


def test_a_failure_that_no_row_asks_for_is_not_passed_over() -> None:
    runs = [run("run-1", judgement(), judgement("spend", Status.FAIL, None))]
    decided = decide(case([row("F5", P95)], runs))
    assert decided.decision is Decision.NOT_PROVEN
    assert "spend failed in run run-1 and no row" in decided.reasons[0]


# -- attempts ----------------------------------------------------------------------------------------------------------------


def test_a_failed_attempt_in_the_history_fails_the_row_though_nobody_gave_it() -> None:
    decided = decide(case([row("F5", P95)], history=history(line("run-0", Status.FAIL), line("run-1", Status.PASS))))
    assert (only(decided), decided.rows[0].attempts) == (RowStatus.FAILED, 2)
    assert "run-0" in decided.rows[0].reason


def test_an_attempt_that_was_ended_by_hand_and_never_judged_keeps_the_row_from_being_verified() -> None:
    cut = line("run-0", event="started", target_version=None)
    decided = decide(case([row("F5", P95)], history=history(cut, line("run-1", Status.PASS))))
    assert (only(decided), decided.rows[0].attempts) == (RowStatus.NOT_PROVEN, 2)


def test_a_superseded_attempt_is_counted_and_does_not_decide() -> None:
    said = [Supersession(run="run-0", owner="Kim", date="2026-11-21", reason="the machine was paging")]
    known = history(line("run-0", Status.FAIL), line("run-1", Status.PASS))
    decided = decide(case([row("F5", P95)], history=known, superseded=said))
    assert (only(decided), decided.rows[0].attempts) == (RowStatus.VERIFIED, 2)
    assert decided.held[0].holds


@pytest.mark.parametrize("other", [
    line("run-0", Status.FAIL, target_version="1.3.0"),
    line("run-0", Status.FAIL, scenario_digest="77" * 32),
    line("run-0", Status.FAIL, overridden=True),
    line("run-0", Status.FAIL, event="void"),
])  # fmt: skip
def test_what_was_another_version_scenario_or_no_run_at_all_is_no_attempt(other: object) -> None:
    decided = decide(case([row("F5", P95)], history=history(other, line("run-1", Status.PASS))))  # type: ignore[arg-type]
    assert (only(decided), decided.rows[0].attempts) == (RowStatus.VERIFIED, 1)


def test_without_a_history_attempts_are_said_to_be_unknown() -> None:
    decided = decide(case([row("F5", P95)], history=None))
    assert decided.rows[0].attempts is None
    assert any("attempted is unknown" in problem.text for problem in decided.problems)


def test_a_history_that_was_changed_blocks() -> None:
    decided = decide(case([row("F5", P95)], history=history(line("run-1", Status.PASS), problems=("lines are missing",))))
    assert decided.decision is Decision.NOT_PROVEN


# -- attestations, waivers, exemptions -------------------------------------------------------------------------------------


def test_an_attestation_speaks_for_a_row_that_no_scenario_shows() -> None:
    decided = decide(case([row("P6")], attestations=[attestation()]))
    assert (only(decided), decided.decision) == (RowStatus.ATTESTED, Decision.READY)
    assert decided.rows[0].expires == "2027-03-31"


@pytest.mark.parametrize(("changes", "word"), [({"expires": "2026-11-22"}, "expired"), ({"date": "2026-11-24"}, "begins")])
def test_an_attestation_outside_its_dates_has_no_effect_and_is_said(changes: dict[str, str], word: str) -> None:
    decided = decide(case([row("P6")], attestations=[attestation(**changes)]))
    assert only(decided) is RowStatus.NOT_PROVEN
    assert word in decided.rows[0].reason
    assert word in decided.held[0].note


def test_an_attestation_holds_to_the_end_of_its_last_day() -> None:
    decided = decide(case([row("P6")], attestations=[attestation(expires=NOW.date().isoformat())]))
    assert only(decided) is RowStatus.ATTESTED


def test_no_word_stands_in_for_what_a_scenario_can_show() -> None:
    for runs in ([], [run("run-1", judgement(status=Status.FAIL))], [run("run-1", judgement(status=Status.INCONCLUSIVE))]):
        decided = decide(case([row("F5", P95)], runs, attestations=[attestation("F5")]))
        assert only(decided) in (RowStatus.NOT_PROVEN, RowStatus.FAILED)
        assert not decided.held[0].holds


def test_a_waiver_sets_a_row_aside_and_shows_what_it_was() -> None:
    decided = decide(case([row("S2")], waivers=[waiver()]))
    assert (only(decided), decided.rows[0].before, decided.decision) == (
        RowStatus.WAIVED, RowStatus.NOT_COVERED, Decision.READY)  # fmt: skip


def test_a_waiver_leaves_a_failed_row_failed_unless_its_owner_accepts_the_failure_by_name() -> None:
    runs = [run("run-1", judgement(status=Status.FAIL))]
    assert only(decide(case([row("F5", P95)], runs, waivers=[waiver("F5")]))) is RowStatus.FAILED
    accepted = decide(case([row("F5", P95)], runs, waivers=[waiver("F5", accepts_failure=True)]))
    assert (only(accepted), accepted.rows[0].before) == (RowStatus.WAIVED, RowStatus.FAILED)


def test_an_expired_waiver_has_no_effect() -> None:
    decided = decide(case([row("S2")], waivers=[waiver(expires="2026-11-22")]))
    assert only(decided) is RowStatus.NOT_COVERED
    assert "expired" in decided.rows[0].reason


def test_a_waiver_that_holds_goes_before_one_that_expired() -> None:
    decided = decide(case([row("S2")], waivers=[waiver(), waiver(expires="2026-11-01", owner="Old")]))
    assert decided.rows[0].owner == "Sam"


def test_a_row_that_does_not_apply_is_settled_until_that_expires() -> None:
    exempt = Exemption(reason="no tools", owner="Kim", expires="2026-12-31")
    assert only(decide(case([row("F1", applies=exempt)]))) is RowStatus.NOT_APPLICABLE
    assert only(decide(case([row("F1", applies=replace(exempt, expires="2026-01-01"))]))) is RowStatus.NOT_COVERED
    failing = decide(case([row("F5", P95, applies=exempt)], [run("run-1", judgement(status=Status.FAIL))]))
    assert only(failing) is RowStatus.FAILED


# -- changes and laws ------------------------------------------------------------------------------------------------------


def test_changes_tell_rows_that_are_new_gone_or_different_and_no_other() -> None:
    before = decide(case([row("F5", P95), row("F1"), row("X1")]))
    now = decide(case([row("F5", P95), row("F1"), row("N1")], waivers=[waiver("F1")]))
    told = {change.row: (change.before, change.now) for change in changes_since(before, now.rows)}
    assert told == {
        "F1": (RowStatus.NOT_COVERED, RowStatus.WAIVED),
        "N1": (None, RowStatus.NOT_COVERED),
        "X1": (RowStatus.NOT_COVERED, None),
    }


_ORDER = [Decision.READY, Decision.NOT_PROVEN, Decision.NOT_READY]
_STATUSES = st.lists(st.sampled_from(list(Status)), min_size=1, max_size=4)


@given(_STATUSES, st.sampled_from([Status.FAIL, Status.INVALID, Status.INCONCLUSIVE]))
def test_one_more_run_that_did_not_pass_never_makes_a_release_better(statuses: list[Status], added: Status) -> None:
    runs = [run(f"run-{n}", judgement(status=status)) for n, status in enumerate(statuses)]
    before = decide(case([row("F5", P95)], runs)).decision
    after = decide(case([row("F5", P95)], [*runs, run("worse", judgement(status=added))])).decision
    assert _ORDER.index(after) >= _ORDER.index(before)


@given(_STATUSES)
def test_a_release_is_ready_only_where_everything_given_passed(statuses: list[Status]) -> None:
    runs = [run(f"run-{n}", judgement(status=status)) for n, status in enumerate(statuses)]
    decided = decide(case([row("F5", P95)], runs)).decision
    assert (decided is Decision.READY) == (set(statuses) == {Status.PASS})
