"""Kinds of faults of plug-ins without a scenario: by a file that somebody names, by an installed package, by another process."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from plugin_files import CHECK, FAULT, ran

from harness.errors import ConfigurationError
from harness.extensions.by_hand import adopt_files, of_plugins
from harness.model.fault_kinds import FAULT_KINDS, check_fault
from harness.model.fault_kinds.told import kind_as_document, kind_from_document


def plugin(directory: Path, source: str = FAULT) -> Path:
    path = directory / "ours.py"
    path.write_text(source)
    return path


def test_a_file_that_is_only_to_be_checked_is_not_run(tmp_path: Path):
    (told,) = adopt_files([plugin(tmp_path)], imports=False)
    assert told.startswith(f"{tmp_path}/ours.py (sha256 ")
    assert not ran(tmp_path)
    assert [kind.kind for kind in of_plugins()] == ["drizzle"]
    assert check_fault("plugins.roof", "drizzle", {"drops": 0}, ["plugins.roof"]) == [
        "drops is 0; use a whole number within 1..100"
    ]


def test_a_file_that_is_to_break_something_is_run(tmp_path: Path):
    adopt_files([plugin(tmp_path)], imports=True)
    assert ran(tmp_path)
    assert FAULT_KINDS["drizzle"].backend is not None


@pytest.mark.parametrize(("source", "told"), [(CHECK, "declares no fault"), ("KIND =", "not Python"), ("X = 1", "declares no")])
def test_a_file_without_a_fault_is_refused_by_its_name(source: str, told: str, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"ours\.py") as raised:
        adopt_files([plugin(tmp_path, source)], imports=False)
    assert told in str(raised.value)


def test_another_process_learns_what_a_kind_may_be_given_and_nothing_of_its_code(tmp_path: Path):
    adopt_files([plugin(tmp_path)], imports=True)
    known = FAULT_KINDS["drizzle"]
    learned = kind_from_document(json.loads(json.dumps(kind_as_document(known))))
    assert learned == replace(known, backend=None)


@pytest.mark.parametrize("name", ["latency", "status", "canary"])
def test_every_sort_of_parameter_survives_being_told(name: str):
    assert kind_from_document(json.loads(json.dumps(kind_as_document(FAULT_KINDS[name])))) == FAULT_KINDS[name]
