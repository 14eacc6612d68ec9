"""What compose prints of a file is read for the parts that get our labels, and for the services that a description names."""

import pytest

from harness.errors import ConfigurationError, StackError
from harness.target.external.compose_file import parts_of, see_named


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (b"services: {b: {}, a: {}}\n", (["a", "b"], ["default"])),
        (b"name: x\nservices: {a: {}}\nnetworks: {back: {driver: bridge}, default: null}\n", (["a"], ["back", "default"])),
        (b"services: {a: {}}\nnetworks: {theirs: {external: true}, ours: {}}\n", (["a"], ["default", "ours"])),
    ],
)
def test_every_service_and_every_network_of_its_own_is_labelled(said: bytes, parts: tuple[list[str], list[str]]) -> None:
    assert parts_of(said) == parts


@pytest.mark.parametrize("said", [b"", b"services\n", b"services: 7\n", b"{", b"networks: {}\n"])
def test_what_is_no_compose_file_is_told(said: bytes) -> None:
    with pytest.raises(StackError, match="`config` printed no compose file"):
        parts_of(said)


def test_a_service_that_is_not_there_is_told_before_anything_is_up() -> None:
    see_named({"service": "gateway"}, ["gateway", "redis"])
    with pytest.raises(
        ConfigurationError, match=r"processes\.db: the compose file has no service 'rediss'; it has gateway, redis"
    ):
        see_named({"db": "rediss"}, ["gateway", "redis"])
