"""A run's figures in Prometheus' and OpenTelemetry's spelling: counted here by hand, read by other people's parser."""

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from run_builder import RunBuilder, failed, healthy_samples, latency, unsent

from harness.cli.commands.export import command
from harness.model.outcome import Result


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = healthy_samples()
    rows[100] = failed(rows[100], Result.MALFORMED)  # at 5.00 s, in steady
    rows[101] = unsent(rows[101])
    from harness.judge import judge_and_write
    from harness.measure import read_run

    made = RunBuilder(samples=rows, objectives=(latency(),)).build(tmp_path / "run")
    judge_and_write(made, read_run(made))
    return made.path


def exported(run: Path, format_: str) -> str:
    done = CliRunner().invoke(command, [str(run), "--format", format_])
    assert done.exit_code == 0, done.output
    return done.stdout


def series(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            found.setdefault(each.name, []).append((each.labels, each.value))
    return found


def one(rows: list[tuple[dict[str, str], float]], **labels: str) -> float:
    matching = [value for have, value in rows if labels.items() <= have.items()]
    assert len(matching) == 1, (labels, rows)
    return matching[0]


def test_every_intended_request_is_counted_with_what_became_of_it(run: Path):
    found = series(exported(run, "prometheus"))["harness_requests_total"]
    assert one(found, phase="steady", result="answered") == 198
    assert one(found, phase="steady", result="malformed") == 1
    assert one(found, phase="steady", result="unsent") == 1
    assert one(found, phase="outage", result="answered") == 200
    assert {labels["run"] for labels, _ in found} == {"run-1"}


def test_what_was_not_answered_is_beyond_every_bound_of_the_intended_clock(run: Path):
    found = series(exported(run, "prometheus"))
    buckets = found["harness_response_duration_seconds_bucket"]
    assert one(buckets, phase="steady", le="5") == 198
    assert one(buckets, phase="steady", le="+Inf") == 200
    assert one(found["harness_response_duration_seconds_count"], phase="steady") == 200
    # Each took 0.5 s from its intended start: on the bound, which belongs to the bucket below it.
    assert one(buckets, phase="steady", le="0.5") == 198
    assert one(buckets, phase="steady", le="0.3") == 0
    assert one(found["harness_response_duration_seconds_sum"], phase="steady") == pytest.approx(99.0)


def test_the_genai_names_measure_what_was_sent_on_the_actual_clock(run: Path):
    found = series(exported(run, "prometheus"))
    counts = found["gen_ai_client_operation_duration_seconds_count"]
    ok = [value for labels, value in counts if labels["phase"] == "steady" and "error_type" not in labels]
    assert ok == [198]
    assert one(counts, phase="steady", error_type="malformed") == 1
    assert not [labels for labels, _ in counts if labels.get("error_type") == "unsent"]
    sums = found["gen_ai_client_operation_duration_seconds_sum"]
    assert [v for labels, v in sums if labels["phase"] == "steady" and "error_type" not in labels] == [pytest.approx(198 * 0.499)]
    first = found["gen_ai_client_operation_time_to_first_chunk_seconds_sum"]
    assert one(first, phase="steady") == pytest.approx(198 * 0.124)
    assert one(found["gen_ai_client_token_usage_sum"], phase="outage", gen_ai_token_type="output") == 2000


def test_the_verdict_and_the_money_are_series_too(run: Path):
    found = series(exported(run, "prometheus"))
    assert one(found["harness_verdict"], verdict="invalid") == 1  # one request was never sent
    assert {labels["status"] for labels, _ in found["harness_result"]} == {"invalid"}
    assert one(found["harness_instrument_valid"]) == 0
    assert one(found["harness_cost_usd_total"], phase="outage") == pytest.approx(0.2)


def test_opentelemetry_gets_the_same_figures_in_its_own_shape(run: Path):
    request = json.loads(exported(run, "otlp"))
    (resource,) = request["resourceMetrics"]
    attributes = {each["key"]: each["value"]["stringValue"] for each in resource["resource"]["attributes"]}
    assert attributes["service.name"] == "harness"
    assert attributes["harness.run.id"] == "run-1"
    metrics = {each["name"]: each for each in resource["scopeMetrics"][0]["metrics"]}
    duration = metrics["gen_ai.client.operation.duration"]
    assert (duration["unit"], duration["histogram"]["aggregationTemporality"]) == ("s", 2)
    for point in duration["histogram"]["dataPoints"]:
        assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
        assert sum(map(int, point["bucketCounts"])) == int(point["count"])
        assert {"gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"} <= {
            a["key"] for a in point["attributes"]
        }
        assert point["startTimeUnixNano"] == str(1_700_000_000 * 10**9)
        assert point["timeUnixNano"] == str(1_700_000_032 * 10**9)
    assert metrics["harness.requests"]["sum"]["isMonotonic"] is True
    assert 5.0 in duration["histogram"]["dataPoints"][0]["explicitBounds"]


def test_a_threshold_of_the_plan_is_a_bound_and_hostile_labels_stay_inside_their_quotes(tmp_path: Path):
    from dataclasses import replace

    from harness.export import families_of, to_prometheus
    from harness.judge import judge_and_write
    from harness.measure import read_run

    hostile = 'a"} 1\nharness_verdict{x="'
    rows = [replace(row, model=hostile) for row in healthy_samples()]
    made = RunBuilder(samples=rows, objectives=(replace(latency(), threshold_ns=4_200_000_000),)).build(tmp_path / "run")
    reading = read_run(made)
    text = to_prometheus(families_of(reading, judge_and_write(made, reading)), {})
    found = series(text)
    models = {labels["gen_ai_request_model"] for labels, _ in found["gen_ai_client_operation_duration_seconds_count"]}
    assert models == {hostile}
    assert "4.2" in {labels["le"] for labels, _ in found["harness_response_duration_seconds_bucket"]}
    assert math.inf not in {value for _, value in found["harness_response_duration_seconds_sum"]}


def test_a_directory_that_is_no_run_is_said_so(tmp_path: Path):
    from harness.errors import HarnessError

    done = CliRunner().invoke(command, [str(tmp_path)])
    assert isinstance(done.exception, HarnessError)
