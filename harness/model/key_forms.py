"""What keys look like: the forms that their issuers made to be recognised, and private keys in PEM.

What says of itself that it is an example is none.
"""

import re

RULES: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("a private key", rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[+ ]?[A-Za-z0-9+/=]{40,}"),
        ("a key of AWS", rb"\bAKIA[0-9A-Z]{16}\b"),
        ("a token of GitHub", rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
        ("a token of Slack", rb"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
        ("a key of a model provider", rb"\bsk-[A-Za-z0-9_-]{32,}"),
        ("a key of Google", rb"\bAIza[0-9A-Za-z_-]{35}\b"),
        ("a live key of Stripe", rb"\b[rs]k_live_[0-9a-zA-Z]{24,}"),
    )
)
_MADE_UP = re.compile(rb"example", re.IGNORECASE)


def found_in(text: bytes) -> list[tuple[int, str]]:
    """Return the line and the kind of each key in a text."""
    return [
        (text.count(b"\n", 0, found.start()) + 1, what)
        for what, pattern in RULES
        for found in pattern.finditer(text)
        if not _MADE_UP.search(found[0])
    ]
