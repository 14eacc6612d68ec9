"""Made-up data of a person, and a made-up key, that stand nowhere else: where one is found, it came from our request.

The number is from a range reserved for fiction and has its own digits for each check; masked, it keeps its last four,
and that is allowed.
"""

import hashlib
import re

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s().-]{1,2}(?=\d)")


def digits_of(check_id: str) -> str:
    """Return the ten digits of the check's telephone number."""
    number = int.from_bytes(hashlib.sha256(check_id.encode()).digest()[:4]) % 10_000
    return f"202555{number:04d}"


def phone_of(check_id: str) -> str:
    """Return the number as a person would write it."""
    digits = digits_of(check_id)
    return f"+1 {digits[:3]}-{digits[3:6]}-{digits[6:]}"


def email_of(check_id: str) -> str:
    """Return the address."""
    return f"canary.{digits_of(check_id)[-4:]}.person@example.com"


def key_of(check_id: str) -> str:
    """Return a key of the right shape that nobody has."""
    return f"sk-canary{hashlib.sha256(check_id.encode()).hexdigest()[:40]}"


def found_in(text: str, check_id: str) -> str | None:
    """Return what of the canaries stands in a text in the clear: `phone`, `e-mail` or `key`; None where nothing does."""
    if email_of(check_id) in text or email_of(check_id).replace("@", "%40") in text:
        return "e-mail"
    if key_of(check_id) in text:
        return "key"
    return "phone" if digits_of(check_id) in _BETWEEN_DIGITS.sub("", text) else None
