"""What an answer said, as one number of 63 bits: enough to tell another order of the same letters from another text.

The high half is a checksum of the letters in their order, the low half of the same letters sorted. White space counts in
neither, so that a piece that is sent on without its last blank is no other text. A checksum guards against accidents of a
service, not against somebody who makes two texts alike on purpose.
"""

import zlib

LETTERS_MASK = 0xFFFFFFFF
"""The half of a digest that two texts of the same letters share, whatever their order."""


def text_digest(text: str) -> int | None:
    """Return the digest of a text; None of one that says nothing."""
    letters = "".join(text.split()).encode("utf-8", "surrogatepass")
    if not letters:
        return None
    return (zlib.crc32(letters) >> 1) << 32 | zlib.crc32(bytes(sorted(letters)))
