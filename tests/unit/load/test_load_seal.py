import pytest

from harness.errors import ConfigurationError, LoadError
from harness.load.messages import Clock, Empty, Start
from harness.load.seal import Seal

TOKEN = "sixteen-letters-and-more"


def test_what_was_sealed_opens_with_the_same_token_and_scope() -> None:
    sealed = Seal(TOKEN).close("go/w1/n1", Start(zero_master_ns=5))
    assert Seal(TOKEN).open("go/w1/n1", sealed, Start) == Start(zero_master_ns=5)
    assert b"zero" not in sealed


@pytest.mark.parametrize("scope", ["go/w2/n1", "go/w1/n2", "stop/w1/n1", ""])
def test_a_message_of_another_kind_worker_or_conversation_does_not_open(scope: str) -> None:
    sealed = Seal(TOKEN).close("go/w1/n1", Empty())
    with pytest.raises(LoadError, match="not sealed"):
        Seal(TOKEN).open(scope, sealed, Empty)


def test_another_token_a_changed_byte_and_garbage_do_not_open() -> None:
    sealed = Seal(TOKEN).close("go", Empty())
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    with pytest.raises(LoadError):
        Seal(TOKEN + "x").open("go", sealed, Empty)
    for data in (changed, b"", b"short", None, "text", 7, [sealed]):
        with pytest.raises(LoadError):
            Seal(TOKEN).open("go", data, Empty)


def test_a_message_of_another_version_says_so_without_its_content() -> None:
    sealed = Seal(TOKEN).close("clock/w1", {"unknown": "key-secret"})
    with pytest.raises(LoadError, match="another version") as caught:
        Seal(TOKEN).open("clock/w1", sealed, Clock)
    assert "secret" not in str(caught.value)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 16"):
        Seal("fifteen-letters")
