"""Faults as people type them."""

import pytest

from harness.errors import ConfigurationError
from harness.model.fault_words import find_place, read_parameters

PLACES = ["links.redis", "processes.redis", "dependencies.redis", "provider.primary", "links.postgres", "processes.postgres"]


@pytest.mark.parametrize(
    ("short", "kind", "place"),
    [
        ("redis", "latency", "links.redis"),
        ("redis", "freeze", "processes.redis"),
        ("redis", "flush", "dependencies.redis"),
        ("primary", "status", "provider.primary"),
        ("links.redis", "latency", "links.redis"),
        ("nothing", "latency", "nothing"),
        ("redis", "no-such-kind", "redis"),
    ],
)
def test_a_short_name_means_the_place_where_the_kind_can_act(short, kind, place):
    assert find_place(short, kind, PLACES) == place


def test_a_short_name_that_could_be_two_places_is_not_guessed():
    with pytest.raises(ConfigurationError, match=r"could be links\.x or provider\.x"):
        find_place("x", "latency", ["links.x", "provider.x"])


def test_parameters_have_the_types_of_their_kind():
    assert read_parameters("latency", ["latency=800", "jitter=10"]) == {"latency": 800, "jitter": 10}
    assert read_parameters("freeze", ["tree=false"]) == {"tree": False}
    assert read_parameters("status", ["code=429", "share=0.5"]) == {"code": 429, "share": 0.5}


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("latency", "latency", "write NAME=VALUE"),
        ("latency", "latancy=5", "did you mean 'latency'?"),
        ("latency", "latency=fast", "use a whole number"),
        ("freeze", "tree=maybe", "use true or false"),
        ("latancy", "latency=5", "did you mean 'latency'?"),
    ],
)
def test_what_cannot_be_read_is_told(kind, text, told):
    with pytest.raises(ConfigurationError) as caught:
        read_parameters(kind, [text])
    assert told in str(caught.value)
