from harness.model.outcome import Refusal, Source
from harness.target.embedded import EmbeddedTarget


def test_the_embedded_stack_offers_its_links_and_processes_without_starting_anything() -> None:
    offer = EmbeddedTarget().offer()
    assert offer.reference.kind == "embedded"
    assert offer.places == {
        "provider.primary",
        "provider.secondary",
        "links.postgres",
        "links.redis",
        *(f"processes.{name}" for name in ("service-a", "service-b", "worker", "postgres", "redis", "balancer", "provider")),
    }
    assert offer.rate_limit_per_minute == 10


def test_every_source_but_the_primary_and_every_refusal_has_a_sign() -> None:
    signals = EmbeddedTarget().offer().signals
    assert {source for source, _ in signals.sources} == set(Source) - {Source.PRIMARY}
    assert {refusal for refusal, _ in signals.refusals} == set(Refusal)
