"""The reference service, described as if a stranger had written it, starts and answers like its own adapter's."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.model.target import Needs
from harness.target.description import read_description
from harness.target.embedded import EmbeddedTarget
from harness.target.external import ExternalTarget
from harness.target.external.preflight import ask_once

ROOT = Path(__file__).parents[2]


@pytest.fixture
def state() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="external-example-"))
    yield directory
    shutil.rmtree(directory)


def test_the_reference_service_as_a_stranger_is_read_as_its_own_adapter_reads_it() -> None:
    foreign = ExternalTarget(read_description(ROOT / "examples/targets/reference/target.yaml")).offer()
    own = EmbeddedTarget().offer()
    assert foreign.signals == own.signals
    assert foreign.rate_limit_per_minute == own.rate_limit_per_minute
    assert foreign.model == own.model
    assert foreign.capped_principals
    assert {"provider.primary", "provider.secondary", "links.postgres", "links.redis"} <= foreign.places


def test_the_reference_service_as_a_stranger_answers_is_joined_and_tells_its_cost(state: Path, tmp_path: Path) -> None:
    target = ExternalTarget(read_description(ROOT / "examples/targets/reference/target.yaml"), state_directory=state)
    running = target.start(Needs(principals=1, capped_principals={"capped": 0.5}), tmp_path / "logs")
    try:
        found, calls = ask_once(running, target.offer())
    finally:
        running.stop()
    assert running.reference.version == "foreign"
    assert found.outcome.source == "primary"
    assert [call["request_id"] for call in calls] == [found.request_id]
    assert found.outcome.claimed_cost_usd == pytest.approx(calls[0]["cost_usd"])
    assert list(state.iterdir()) == []
