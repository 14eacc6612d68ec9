"""Text that came from a target is hostile: every character that acts instead of showing is made to show."""

import unicodedata

_LONGEST = 600

_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories without a look of their own: controls, bidi overrides, zero-widths, lone surrogates, and the like."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_FORMULA_STARTS = ("=", "+", "-", "@")


def visible(text: str, *, longest: int = _LONGEST) -> str:
    r"""Return `text` with every control, bidi or invisible character written out, cut after `longest` characters.

    Written out as in Python: a line feed is `\n`, ESC `\x1b`, a right-to-left override `\u202e`. Not as their Unicode
    pictures, which many fonts lack. Markup is not escaped here: that belongs to each format.
    """
    shown = "".join(_shown(character) for character in text[:longest])
    left_out = len(text) - longest
    return f"{shown}… ({left_out:,} more characters)" if left_out > 0 else shown


def harmless(text: str, *, longest: int = _LONGEST) -> str:
    """Return `visible(text)`, with an apostrophe before what a spreadsheet would take for a formula when pasted."""
    shown = visible(text, longest=longest)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_STARTS) else shown


def _shown(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if unicodedata.category(character) not in _ACTING:
        return character
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
