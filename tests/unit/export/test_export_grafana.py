"""The dashboard of runs names nothing that an export does not have, and leaves out nothing that it has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from run_builder import RunBuilder, call_of, healthy_samples, latency

from harness.cli.commands.export import command
from harness.export import families_of, to_prometheus
from harness.export.grafana import dashboard, queries
from harness.export.prometheus import metric_name
from harness.judge import judge
from harness.measure import read_run

_METRIC = re.compile(r"\b((?:harness|gen_ai)_[a-z_]+)(?=\{)")
_LABELS_USED = re.compile(r"by \(([^)]*)\)")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, set[str]]:
    """A run's text for Prometheus, and the names of its families."""
    rows = healthy_samples()
    run = RunBuilder(objectives=(latency(),), samples=rows, calls=[call_of(row) for row in rows]).build(
        tmp_path_factory.mktemp("exported") / "run"
    )
    families = families_of(read_run(run), judge(run))
    return to_prometheus(families, {"run": "r", "scenario": "s", "target": "t"}), {metric_name(family) for family in families}


def test_every_metric_that_it_names_exists_and_every_family_is_shown(exported: tuple[str, set[str]]) -> None:
    text, families = exported
    series = {line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")}
    named = {name for query in queries() for name in _METRIC.findall(query)}
    assert named <= series
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in named} == families


def test_every_label_that_it_uses_is_on_the_series_of_its_metric(exported: tuple[str, set[str]]) -> None:
    text, _ = exported
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            (name,) = _METRIC.findall(target["expr"])
            lines = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
            labels = set.intersection(*(set(re.findall(r'(\w+)="', line)) for line in lines))
            used = {each.strip() for group in _LABELS_USED.findall(target["expr"]) for each in group.split(",")}
            used |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) | set(
                re.findall(r'(\w+)(?:=~|!=|=)"', target["expr"])
            )
            assert used <= labels, (target["expr"], used - labels)
            kept = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            by = _LABELS_USED.findall(target["expr"])
            assert not by or kept <= {each.strip() for each in by[0].split(",")}, "a legend of a label that was summed away"


def test_the_panels_stand_beside_and_below_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_command_writes_it_without_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command.main(["--format", "grafana", "--out", "runs.json"], standalone_mode=False)
    assert json.loads((tmp_path / "runs.json").read_text()) == dashboard()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the PATH; apt-get install prometheus")
def test_prometheus_itself_can_read_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"q:{number}", "expr": query.replace("$scenario", "s").replace("$run", "r")}
        for number, query in enumerate(queries())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
