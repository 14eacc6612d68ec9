"""Personal data in text: a phone number keeps its last four digits, an e-mail address its first letter and domain."""

import re
from hashlib import sha256

_EMAIL = re.compile(r"([\w.+%-])[\w.+%-]{0,63}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})")
_PHONE = re.compile(r"(?<!\w)\+?\(?\d(?:[\s().-]{0,2}\d){6,17}(?!\w)")
_KEY = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][A-Za-z0-9_-]{12,256}")
_DIGIT = re.compile(r"\d(?=(?:\D*\d){4})")


def mask(text: str) -> str:
    """Return the text with e-mail addresses, phone numbers and keys masked."""
    text = _KEY.sub("[key]", text)
    text = _EMAIL.sub(r"\1***@\2", text)
    return _PHONE.sub(lambda match: _DIGIT.sub("*", match.group()), text)


def mask_user(name: str) -> str:
    """Return a name that cannot be read but can be followed from line to line."""
    return f"{name[:1]}***#{sha256(name.encode()).hexdigest()[:8]}"


def mask_email(address: str) -> str:
    """Return an address with its first letter and its domain."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def mask_digits(number: str) -> str:
    """Return a number with its last four digits."""
    return _DIGIT.sub("*", number)
