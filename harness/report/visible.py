"""Text that came from a target is hostile: every character that acts instead of showing is made to show."""

import unicodedata

_LONGEST = 600

_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories without a look of their own: controls, bidi overrides, zero-widths, lone surrogates, and the like."""

_FORMULA_STARTS = ("=", "+", "-", "@")


def visible(text: str, *, longest: int = _LONGEST) -> str:
    r"""Return `text` with every control, bidi or invisible character written out, cut after `longest` characters.

    Controls become their pictures (ESC is `␛`, a line feed `␊`), all others `\u202e`. Markup is not escaped here:
    that belongs to each format.
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
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) not in _ACTING:
        return character
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
