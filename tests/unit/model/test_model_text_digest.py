from hypothesis import given
from hypothesis import strategies as st

from harness.model.text_digest import LETTERS_MASK, text_digest

WORDS = st.lists(st.text("abcdefgh", min_size=1, max_size=6), min_size=2, max_size=30)


@given(WORDS, st.randoms(use_true_random=False))
def test_another_order_has_the_same_letters_and_is_another_text(words, random):
    moved = list(words)
    random.shuffle(moved)
    one, other = text_digest(" ".join(words)), text_digest(" ".join(moved))
    assert one & LETTERS_MASK == other & LETTERS_MASK
    assert (one == other) is ("".join(words) == "".join(moved))


@given(st.text(max_size=200))
def test_a_digest_is_a_number_that_a_column_holds_and_none_where_nothing_is_said(text):
    digest = text_digest(text)
    assert (digest is None) is (not text.split())
    assert digest is None or 0 <= digest < 2**63


def test_blanks_count_for_nothing_and_letters_for_all():
    assert text_digest("one two ") == text_digest(" one\ntwo")
    assert text_digest("one two") & LETTERS_MASK != text_digest("one twp") & LETTERS_MASK
