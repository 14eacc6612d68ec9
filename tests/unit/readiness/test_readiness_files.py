"""Checklists, attestations, waivers and the history: what is read, and what is said of what cannot be."""

import threading
from pathlib import Path

import pytest

from harness.cli.options import make_target
from harness.errors import ConfigurationError
from harness.readiness import read_attestations, read_checklist, read_history, read_waivers
from harness.readiness.files import read_if_release_file
from harness.readiness.history import HistoryLine, append
from harness.run.session import RunRequest, plan_scenario
from harness.scenario.bundles import read_bundle
from harness.scenario.catalogue import catalogue_paths
from harness.scenario.read import read_scenario

REQUIRED_ROWS = (
    "F1 F2 F3 F4 F5 F6 S1 S2 S3 S4 S5 S6 S7 R1 R2 R3 R4 R5 R6 R7 R8 C1 C2 C3 C4 C5 C6 C7 O1 O2 O3 O4 O5 P1 P2 P3 P4 P5 P6 P7"
)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_default_checklist_has_the_forty_rows_and_requires_each() -> None:
    checklist = read_checklist()
    assert [row.id for row in checklist.rows] == REQUIRED_ROWS.split()
    assert all(row.required and row.title and row.area for row in checklist.rows)


def test_the_default_checklist_asks_for_every_result_that_says_it_covers_a_row_and_for_no_other() -> None:
    # What stands for several in a bundle has their results under its own name, and would be asked for twice.
    standing = {row.file.document.name for bundle in ("smoke", "gate", "full") for row in read_bundle(bundle).rows if row.parts}
    assert standing
    covered = set()
    for name, path in catalogue_paths().items():
        if name in standing:
            continue
        plan = plan_scenario(RunRequest(scenario=read_scenario(path), target=make_target("embedded", 1)))
        covered |= {(row, f"{name}/{part.id}") for part in (*plan.objectives, *plan.checks) for row in part.covers}
    asked = {(row.id, ref) for row in read_checklist().rows for ref in row.proven_by}
    assert asked == covered


@pytest.mark.parametrize(("text", "told"), [
    ("rows:\n  - {id: A, titel: x}\n", "unknown key 'titel' in rows[0]; allowed: id, title"),
    ("rows:\n  - {id: A, title: x}\n  - {id: A, title: y}\n", "c.yaml:3:10: the row 'A' stands twice"),
    ("rows:\n  - {id: A, title: x, proven_by: [latency]}\n", "names no result; write SCENARIO/OBJECTIVE"),
    ("rows:\n  - {id: A, title: x, applies: {no: never, owner: Kim, expires: soon}}\n", "'soon' is not a date"),
    ("rows: []\n", "c.yaml:1:7"),
    ("title: x\n", "needs the key 'rows'"),
])  # fmt: skip
def test_a_checklist_that_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_checklist(_write(tmp_path / "c.yaml", text))
    assert told in str(caught.value)


def test_an_attestation_for_a_row_that_nobody_asks_for_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    text = "attestations:\n  - {row: P66, owner: Kim, date: 2026-01-01, expires: 2026-02-01, link: x}\n"
    with pytest.raises(ConfigurationError, match=r"a.yaml:2:11: the checklist has no row 'P66' \(did you mean 'P6'\?\)"):
        read_attestations(_write(tmp_path / "a.yaml", text), read_checklist())


def test_an_attestation_without_expiry_is_an_error(tmp_path: Path) -> None:
    text = "attestations:\n  - {row: P6, owner: Kim, date: 2026-01-01, link: x}\n"
    with pytest.raises(ConfigurationError, match="needs the key 'expires'"):
        read_attestations(_write(tmp_path / "a.yaml", text), read_checklist())


def test_a_waiver_that_expires_before_it_begins_is_an_error(tmp_path: Path) -> None:
    text = "waivers:\n  - {row: P6, owner: Kim, date: 2026-03-01, expires: 2026-02-01, reason: x}\n"
    with pytest.raises(ConfigurationError, match="before its own date"):
        read_waivers(_write(tmp_path / "w.yaml", text), read_checklist())


# -- history ---------------------------------------------------------------------------------------------------------------


def _line(run_id: str, event: str = "started") -> HistoryLine:
    return HistoryLine(event=event, run_id=run_id, at="2026-01-01T00:00:00.000+00:00", scenario="outage", scenario_digest="ab",
                       target="gateway", target_version="1", overridden=False, rehearsed=True)  # fmt: skip


def test_the_last_line_of_a_run_is_what_is_known_of_it(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    for line in (_line("a"), _line("b"), _line("a", "ended")):
        append(path, line)
    known = read_history(path)
    assert {line.run_id: line.event for line in known.runs} == {"a": "ended", "b": "started"}
    assert known.problems == ()


@pytest.mark.parametrize("spoil", [
    lambda lines: lines[1:],
    lambda lines: [lines[0], *lines[2:]],
    lambda lines: [lines[0].replace(b'"a"', b'"z"'), *lines[1:]],
])  # fmt: skip
def test_a_line_that_was_taken_out_or_edited_is_seen(tmp_path: Path, spoil: object) -> None:
    path = tmp_path / "history.jsonl"
    for name in "abc":
        append(path, _line(name))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(spoil(lines)))  # type: ignore[operator]
    assert len(read_history(path).problems) == 1


def test_a_line_cut_short_by_a_kill_is_told_and_the_next_run_is_still_recorded(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    append(path, _line("a"))
    with path.open("ab") as file:
        file.write(b'{"event":"star')
    append(path, _line("b"))
    known = read_history(path)
    assert [line.run_id for line in known.runs] == ["a", "b"]
    assert len(known.problems) == 1


def test_lines_of_many_threads_at_once_are_all_kept_and_chained(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    threads = [threading.Thread(target=append, args=(path, _line(f"run-{n}"))) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = read_history(path)
    assert (len(known.runs), known.problems) == (12, ())


@pytest.mark.parametrize(("name", "text", "known"), [
    ("c.yaml", "rows:\n  - {id: A, title: x}\n", True),
    ("a.yaml", "attestations: []\n", True),
    ("w.yaml", "supersedes: []\n", True),
    ("s.yaml", "name: a-scenario\n", False),
    ("a.json", "{}", False),
])  # fmt: skip
def test_a_file_for_a_release_is_told_by_its_keys(tmp_path: Path, name: str, text: str, known: bool) -> None:
    assert read_if_release_file(_write(tmp_path / name, text)) is known


def test_what_is_wrong_in_a_file_for_a_release_is_told_when_it_is_validated(tmp_path: Path) -> None:
    own = _write(tmp_path / "c.yaml", "rows:\n  - {id: A1, title: x}\n")
    text = "waivers:\n  - {row: A2, owner: Kim, date: 2026-01-01, expires: 2026-02-01, reason: x}\n"
    with pytest.raises(ConfigurationError, match="no row 'A2'"):
        read_if_release_file(_write(tmp_path / "w.yaml", text), own)
