"""What compose prints of a file is read for the parts that get our labels, and for the services that a description names."""

import pytest

from harness.errors import ConfigurationError, StackError
from harness.target.external.compose_file import parts_of, see_named, see_not_too_old


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


@pytest.mark.parametrize("version", ["1.29.2", "1.29.0", "2.3.4", "5.0.1-rc", "", "unknown"])
def test_a_compose_of_today_or_of_debian_is_taken_and_one_that_does_not_say_is_asked(version: str) -> None:
    see_not_too_old(version)


@pytest.mark.parametrize("version", ["1.25.0", "1.28.6", "1.8.0"])
def test_an_old_compose_is_told_with_what_to_install(version: str) -> None:
    with pytest.raises(StackError, match=f"docker-compose {version} is too old") as caught:
        see_not_too_old(version)
    assert "`docker compose`" in (caught.value.advice or "")
