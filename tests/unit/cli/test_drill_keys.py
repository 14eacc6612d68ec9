"""What single keys mean at a drill."""

import pytest

from harness.cli.drill_keys import LONGEST_NOTE, Typing, _whole
from harness.run.attending import Said, Word


def typed(keys: str) -> list[Word]:
    typing = Typing()
    return [word for key in keys if (word := typing.take(key)) is not None]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("g", [Word(Said.GO)]),
        ("X", [Word(Said.STOP)]),
        ("q \n", []),
        ("tgo now\r", [Word(Said.NOTE, "go now")]),
        ("tx\x1bx", [Word(Said.STOP)]),
        ("tab\x7fc\n", [Word(Said.NOTE, "ac")]),
        ("t \n", []),
        ("t\x07\x00é\u202e\n", [Word(Said.NOTE, "é")]),
        ("t\x7f\x7fok\ng", [Word(Said.NOTE, "ok"), Word(Said.GO)]),
    ],
)
def test_keys_become_words(keys: str, words: list[Word]) -> None:
    assert typed(keys) == words


def test_a_note_has_an_end() -> None:
    (word,) = typed("t" + "a" * 2 * LONGEST_NOTE + "\n")
    assert len(word.text) == LONGEST_NOTE


def test_a_character_cut_in_two_by_the_terminal_is_one_character() -> None:
    data = "é€".encode()
    text, rest = _whole(data[:3])
    assert (text, rest) == ("é", data[2:3])
    assert _whole(rest + data[3:]) == ("€", b"")
    assert _whole(b"\xff\xff\xff\xff\xff")[1] == b"", "what is no UTF-8 at all is not kept forever"
