"""Plug-in files: read without being run, imported for a run, and told what is wrong with them."""

import subprocess
import sys
from pathlib import Path

import pytest
from plugin_files import CHECK, FAULT, OBJECTIVE, ran, write

from harness.cli.commands.plan import command as plan_command
from harness.cli.commands.validate import command as validate_command
from harness.errors import ConfigurationError
from harness.extensions.found import find_extensions
from harness.model.fault_kinds import FAULT_KINDS
from harness.model.objective import Kind
from harness.model.plan import Plan
from harness.run.session import RunRequest, plan_scenario, plan_to_run
from harness.scenario import read_scenario
from harness.target.embedded import EmbeddedTarget


def planned(path: Path, *, imports: bool = False) -> Plan:
    request = RunRequest(scenario=read_scenario(path), target=EmbeddedTarget())
    return plan_to_run(request) if imports else plan_scenario(request)


def test_a_plan_checks_a_plug_in_without_running_it(tmp_path: Path):
    plan = planned(write(tmp_path))
    assert [(f.kind, f.at, f.parameters) for f in plan.faults] == [("drizzle", "plugins.roof", {"drops": 7})]
    assert [(o.expression, o.limit, o.kind) for o in plan.objectives if o.expression] == [("wet answers", 0.6, Kind.RATIO)]
    assert next(check.name for check in plan.checks) == "roof is dry"
    (reference,) = plan.plugins
    assert reference.path == "./ours.py"
    assert reference.digest is not None
    assert len(reference.digest) == 64
    assert reference.brings == ("drizzle", "drops", "roof is dry", "wet answers")
    assert not ran(tmp_path)


def test_a_run_imports_it_and_leaves_no_compiled_copy(tmp_path: Path):
    plan = planned(write(tmp_path), imports=True)
    assert ran(tmp_path)
    assert [probe.name for probe in plan.probes if probe.check_id == "roof-is-dry"] == ["asked"]
    assert not list(tmp_path.rglob("__pycache__"))


def test_the_commands_that_only_look_run_no_plug_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write(tmp_path)
    for command in (plan_command, validate_command):
        assert command.main([str(path)], standalone_mode=False) == 0
    told = capsys.readouterr()
    assert "./ours.py (sha256" in told.out
    assert "roof-is-dry: what it sends is its own code's to say" in told.out
    assert told.err == f"{path}: ok\n"
    assert not ran(tmp_path)


def test_a_digest_is_of_what_is_written(tmp_path: Path):
    before = planned(write(tmp_path)).plugins[0].digest
    assert planned(write(tmp_path, source=FAULT + CHECK + OBJECTIVE + "\n# more\n")).plugins[0].digest != before


BAD = {
    "a file that is not there": ({"source": None}, ["rain.yaml:4:11:", "ours.py: No such file"]),
    "no Python file": ({"plugins": "./ours.txt"}, ["'./ours.txt' is no plug-in", "./ours.py"]),
    "broken Python": ({"source": "def f(:\n"}, ["ours.py:1: not Python"]),
    "nothing declared": ({"source": "x = 1\n"}, ["declares no fault, check or objective", "harness new"]),
    "a computed place": (
        {"source": FAULT.replace('("plugins.roof", "links.*")', "tuple(everywhere())")},
        ["ours.py:13: places=tuple(everywhere()) cannot be read without running the file", "spell it out"],
    ),
    "an unknown part": ({"source": FAULT.replace("title=", "titel=")}, ["FaultExtension has no 'titel'; it takes kind, title"]),
    "a missing part": ({"source": FAULT.replace("backend=Backend,", "")}, ["FaultExtension", "missing", "'backend'"]),
    "one parameter without its comma": ({"source": FAULT.replace("default=5),)", "default=5))")}, ["one of them alone needs a comma"]),
    "an unknown part of a parameter": ({"source": FAULT.replace("low=1", "lowest=1")}, ["ours.py:14: parameters:", "lowest"]),
    "a name in capitals": ({"source": FAULT.replace('kind="drizzle"', 'kind="Drizzle"')}, ["kind is 'Drizzle'; use lower-case"]),
    "a kind of our own": ({"source": FAULT.replace('"drizzle"', '"latency"')}, ["'latency' is there already, of the harness"]),
    "a name twice": ({"source": FAULT + FAULT.replace("DRIZZLE", "AGAIN")}, ["'drizzle' is there already, of ./ours.py"]),
    "share and figure": (
        {"source": FAULT + CHECK + OBJECTIVE.replace("share=share", "share=share, figure=figure")},
        ["needs `share` or `figure`, one of the two"],
    ),
    "a check of our own": (
        {"source": FAULT + OBJECTIVE + CHECK.replace('"roof is dry"', '"budget cap"')}, ["'budget cap' is there already, of the harness"]
    ),
    "an objective of our own": (
        {"source": FAULT + CHECK + OBJECTIVE.replace('"wet answers"', '"latency"')}, ["'latency' is there already, of the harness"]
    ),
    "a parameter out of range": ({"fault": "{at: plugins.roof, kind: drizzle, drops: 0}"}, ["drops is 0", "within 1..100"]),
    "an unknown parameter": ({"fault": "{at: plugins.roof, kind: drizzle, dops: 1}"}, ["no parameter 'dops'", "did you mean 'drops'"]),
    "an unknown place": ({"fault": "{at: plugins.rof, kind: drizzle}"}, ["at is 'plugins.rof'", "did you mean 'plugins.roof'"]),
    "a mistyped kind": ({"fault": "{at: plugins.roof, kind: drizle}"}, ["did you mean 'drizzle'"]),
    "a mistyped measure": ({"objective": "{measure: wet answer, at_most: 5%}"}, ["did you mean 'wet answers'"]),
    "a measure without a limit": ({"objective": "{measure: wet answers}"}, ["takes `at_most` or `at_least`"]),
    "a figure with a share": ({"objective": "{measure: drops, at_most: 5%}"}, ["the limit is '5%'; drops takes a number"]),
    "a share without a percentage": ({"objective": "{measure: wet answers, at_most: wet}"}, ["wet answers", "'wet'"]),
    "a mistyped check": ({"check": "{check: roof is dri, during: steady}"}, ["did you mean 'roof is dry'"]),
    "a setting that it lacks": ({"check": "{check: roof is dry, during: steady, drops: 1}"}, ["unknown setting 'drops'"]),
    "a list that is none": ({"plugins": "{}"}, ["rain.yaml:4", "plugins"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_with_where_and_what_to_do_and_nothing_runs(case: str, tmp_path: Path):
    changes, told = BAD[case]
    with pytest.raises(ConfigurationError) as raised:
        planned(write(tmp_path, **changes))
    for text in told:
        assert text in str(raised.value)
    assert not ran(tmp_path)


BROKEN_WHEN_RUN = {
    "raises": ("\nraise RuntimeError('no roof')\n", "importing it raised RuntimeError: no roof"),
    "lacks a package": ("\nimport a_package_that_nobody_has\n", "ModuleNotFoundError"),
    "exits": ("\nraise SystemExit(0)\n", "importing it raised SystemExit"),
    "declares more than can be read": ("\nglobals()['MORE'] = DRY.__class__(name='more', title='m', plan=plan, judge=judge)\n", "it declares drizzle, roof is dry"),
    "declares less than can be read": ("\ndel DROPS\n", "when it runs, and"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN_WHEN_RUN)
def test_what_goes_wrong_while_it_is_imported_is_told_without_a_traceback(case: str, tmp_path: Path):
    more, told = BROKEN_WHEN_RUN[case]
    path = write(tmp_path, source=FAULT + CHECK + OBJECTIVE + more)
    planned(path)  # sound as far as it can be read
    with pytest.raises(ConfigurationError, match=r"ours.py") as raised:
        planned(path, imports=True)
    assert told in str(raised.value)


def test_a_broken_plug_in_ends_a_run_with_2_and_no_traceback(tmp_path: Path):
    path = write(tmp_path, source=FAULT + CHECK + OBJECTIVE + "\n1 / 0\n")
    command = [sys.executable, "-m", "harness", "run", str(path), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"{tmp_path / 'ours.py'}:42: importing it raised ZeroDivisionError" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_locust_stays_out_of_the_control_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gevent.monkey", sys)  # what was there, or was not, comes back
    monkeypatch.delitem(sys.modules, "gevent.monkey")  # other tests of this process may have brought it
    source = FAULT + CHECK + OBJECTIVE + "\nimport sys; sys.modules['gevent.monkey'] = sys\n"
    with pytest.raises(ConfigurationError, match="imports gevent or locust"):
        planned(write(tmp_path, source=source), imports=True)


def test_two_files_that_bring_the_same_kind_are_not_taken_for_one(tmp_path: Path):
    (tmp_path / "other").mkdir()
    find_extensions(read_scenario(write(tmp_path)), imports=False)
    find_extensions(read_scenario(write(tmp_path)), imports=True)  # the same file again is no clash
    assert FAULT_KINDS["drizzle"].backend is not None
    with pytest.raises(ConfigurationError, match="'drizzle' is there already"):
        find_extensions(read_scenario(write(tmp_path / "other")), imports=False)
