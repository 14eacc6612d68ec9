import pytest

from harness.model.simulated import SIMULATED_MODELS
from harness.provider.meter import Meter


def bill(meter, model="sim-small", key="k1", endpoint="primary", *, prompt, completion):
    tally = meter.tally(model=SIMULATED_MODELS[model], key_fingerprint=key, endpoint=endpoint)
    tally.open(prompt)
    tally.generated(completion)


def test_an_unused_meter_shows_nothing():
    assert Meter().lines() == []


def test_each_model_key_and_endpoint_has_a_line_of_its_own():
    meter = Meter()
    bill(meter, prompt=1, completion=1)
    bill(meter, key="k2", prompt=1, completion=1)
    bill(meter, endpoint="secondary", prompt=1, completion=1)
    bill(meter, model="sim-large", prompt=1, completion=1)
    bill(meter, prompt=10, completion=100)
    lines = {(line.model, line.key_fingerprint, line.endpoint): line for line in meter.lines()}
    assert len(lines) == 4
    assert lines["sim-small", "k1", "primary"].calls == 2
    assert lines["sim-small", "k1", "primary"].prompt_tokens == 11
    assert lines["sim-small", "k1", "primary"].completion_tokens == 101


def test_a_million_tokens_cost_what_the_price_list_says():
    meter = Meter()
    bill(meter, model="sim-large", prompt=1_000_000, completion=0)
    assert meter.lines()[0].cost_usd == pytest.approx(3.00)
    bill(meter, model="sim-large", prompt=0, completion=1_000_000)
    assert meter.lines()[0].cost_usd == pytest.approx(18.00)


def test_a_prompt_without_an_answer_is_billed():
    meter = Meter()
    meter.tally(model=SIMULATED_MODELS["sim-large"], key_fingerprint="k", endpoint="primary").open(2_000)
    assert meter.lines()[0].cost_usd == pytest.approx(0.006)
