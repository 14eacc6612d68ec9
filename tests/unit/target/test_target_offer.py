from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import StorageError
from harness.model.outcome import Refusal, Source
from harness.model.target import Needs
from harness.target.embedded import EmbeddedTarget


def test_the_embedded_stack_offers_its_links_and_processes_without_starting_anything() -> None:
    offer = EmbeddedTarget().offer()
    assert offer.reference.kind == "embedded"
    assert offer.places == {
        "provider.primary",
        "provider.secondary",
        "links.postgres",
        "links.redis",
        "dependencies.redis",
        "dependencies.postgres",
        "host",
        "deploys.service",
        *(f"clocks.{name}" for name in ("service-a", "service-b", "postgres")),
        *(f"processes.{name}" for name in ("service-a", "service-b", "worker", "postgres", "redis", "balancer", "provider")),
    }
    assert offer.rate_limit_per_minute == 10


def test_every_source_but_the_primary_and_every_refusal_has_a_sign() -> None:
    signals = EmbeddedTarget().offer().signals
    assert {source for source, _ in signals.sources} == set(Source) - {Source.PRIMARY}
    assert {refusal for refusal, _ in signals.refusals} == set(Refusal)


@pytest.mark.parametrize(
    ("settings", "per_minute"),
    [
        ({}, 10),
        ({"SERVICE_RATE_LIMIT": "600"}, 600),
        ({"SERVICE_RATE_LIMIT": "5", "SERVICE_RATE_WINDOW_S": "10"}, 30),
        ({"SERVICE_RATE_LIMIT": "many"}, 10),
    ],
)
def test_the_rate_limit_is_the_one_that_the_service_is_told(settings: dict[str, str], per_minute: int) -> None:
    assert EmbeddedTarget(service_settings=settings).offer().rate_limit_per_minute == per_minute


def test_too_little_space_is_said_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10 << 20))
    with pytest.raises(StorageError, match="has 10 MB free; the embedded stack needs 200 MB"):
        EmbeddedTarget(state_directory=tmp_path / "state").start(Needs(principals=1), tmp_path / "logs")
    assert list((tmp_path / "state").iterdir()) == []
    assert list((tmp_path / "logs").iterdir()) == []
