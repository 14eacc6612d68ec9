"""What is written in a text in another way: entities, percent signs, escapes, base64, base32, hex, numbers.

Every expression is without nested repeats, and what is found is bounded: the time grows with the text's length alone.
"""

import base64
import binascii
import html
import itertools
import re
from collections.abc import Iterator
from urllib.parse import unquote

MOST_PIECES = 20
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,4096}={0,2}")
_BASE32 = re.compile(r"[A-Z2-7]{16,4096}={0,6}")
_HEX = re.compile(r"(?:(?:0x|\\\\x)?[0-9a-fA-F]{2}[\s:,]?){12,2048}")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2}))")
_BITS = re.compile(r"(?:[01]{8}[\s,]?){12,512}")
_NUMBERS = re.compile(r"(?:\d{2,3}[\s,;]{1,2}){12,2048}\d{2,3}")


def decoded(text: str) -> Iterator[str]:
    """Yield what parts of `text` say once decoded; nothing where nothing is encoded."""
    if "&" in text and (unescaped := html.unescape(text)) != text:
        yield unescaped
    if "%" in text and (unquoted := unquote(text)) != text:
        yield unquoted
    if "\\" in text and (unescaped := _ESCAPE.sub(_character, text)) != text:
        yield unescaped
    for piece in itertools.islice(_pieces(text), MOST_PIECES):
        try:
            yield piece.decode("utf-8")
        except UnicodeDecodeError:
            continue


def _character(match: re.Match[str]) -> str:
    code = int(next(group for group in match.groups() if group), 16)
    return chr(code) if code < 0x110000 else match.group()


def _pieces(text: str) -> Iterator[bytes]:
    for match in _BASE64.finditer(text):
        token = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(token + "=" * (-len(token) % 4))
        except binascii.Error:
            continue
    for match in _BASE32.finditer(text):
        token = match.group().rstrip("=")
        try:
            yield base64.b32decode(token + "=" * (-len(token) % 8))
        except binascii.Error:
            continue
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\\\x|[\s:,]", "", match.group())
        if len(digits) % 2 == 0:
            yield bytes.fromhex(digits)
    for match in _BITS.finditer(text):
        bits = re.sub(r"[\s,]", "", match.group())
        yield bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))
    for match in _NUMBERS.finditer(text):
        numbers = [int(n) for n in re.findall(r"\d+", match.group())]
        if max(numbers) < 256:
            yield bytes(numbers)
