"""Personal data in answers: masked, unless the asker said it first or it stands in the passages that were found.

Of a stream, text is held back only while it could be the beginning of an address or a number: at most HELD characters.
"""

import re

from reference_service.masking import mask_digits, mask_email

HELD = 96
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_NUMBER = re.compile(
    r"(?<![\w.])(?:[A-Z]{2}\d\d(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,4})?|\+?\(?\d(?:[\s().-]{0,2}\d){8,18})(?!\w)"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d(?:[.:]?\d\d)*)?")
_DIGIT = re.compile(r"\d")
_OF_ADDRESSES = "".join(map(chr, (*range(65, 91), *range(97, 123), *range(48, 58)))) + "._%+@-"
TAIL = re.compile(r"(?:[A-Za-z0-9._%+@-]+|(?:[A-Z]{2}\d\d|\+?\(?\d)[A-Z\d\s().-]*|[+(])\Z")


def masked(text: str, known: str) -> str:
    """Return the text with e-mail addresses and long numbers masked; what stands in `known` is left."""

    def email(match: re.Match[str]) -> str:
        return match.group() if match.group() in known else mask_email(match.group())

    def number(match: re.Match[str]) -> str:
        said = match.group()
        return said if said in known or _DATE.fullmatch(said) else mask_digits(said)

    if "@" in text:
        text = _EMAIL.sub(email, text)
    return text if _DIGIT.search(text) is None else _NUMBER.sub(number, text)


class Private:
    """The text of a stream with personal data masked: what may yet become some is held back. known: see `masked`."""

    def __init__(self, known: str) -> None:
        self._known = known
        self._held = ""

    def take(self, piece: str) -> str:
        """Return what may leave now that `piece` has come."""
        text = self._held + piece
        free = releasable(text)
        self._held = text[free:]
        return masked(text[:free], self._known)

    def rest(self) -> str:
        """Return what was held at the end: nothing can follow it any more."""
        held, self._held = self._held, ""
        return masked(held, self._known)


def releasable(text: str) -> int:
    """Return how much of the beginning of `text` can no longer become part of personal data."""
    start = max(0, len(text) - HELD)
    if _DIGIT.search(text, start) is None:
        # Without a digit only an address can be under way, or the sign before a number: no expression is needed.
        ended = len(text.rstrip(_OF_ADDRESSES))
        if ended == len(text):
            return ended - text.endswith("(")
        return len(text) if ended <= start > 0 else ended
    tail = TAIL.search(text, start)
    return len(text) if tail is None or tail.start() == start > 0 else tail.start()
