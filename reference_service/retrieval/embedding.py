"""The port behind which texts become vectors, and the offline way through it: deterministic, no model, no network."""

import math
import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol

DIMENSIONS = 1024
_WORD = re.compile(r"\w+")
_COMMON = "a an and are as at be by can do does for from how i if in is it me my of on or our that the this to was we what when"
_SKIPPED = frozenset(f"{_COMMON} where which who why will with you your".split(" "))


class EmbeddingUnavailable(Exception):  # noqa: N818 - a state, named as the code that catches it reads
    """The embedding model did not answer in time, or answered rubbish."""


class Embedder(Protocol):
    """Turns texts into vectors of DIMENSIONS numbers. name: vectors of different names are never compared."""

    name: str

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of length one for each text. Raises EmbeddingUnavailable."""
        ...


class HashedEmbedder:
    """Words and their letter triples, hashed into buckets: near in spelling and vocabulary is near in angle."""

    name = "hashed-1"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text; the same text is the same vector on every machine. Never fails."""
        return [hashed_vector(text) for text in texts]


def hashed_vector(text: str) -> list[float]:
    """Return the unit vector of a text; one without words is the first axis, near to nothing."""
    vector = [0.0] * DIMENSIONS
    words = [w for w in _WORD.findall(text.casefold()) if w not in _SKIPPED]
    for word in words:
        _add(vector, "w:" + word, 1.0)
        padded = f"^{word}$"
        triples = [padded[i : i + 3] for i in range(len(padded) - 2)]
        for triple in triples:
            _add(vector, "t:" + triple, 1.0 / math.sqrt(len(triples)))
    length = math.sqrt(sum(x * x for x in vector))
    if length == 0:
        return [1.0] + [0.0] * (DIMENSIONS - 1)
    return [x / length for x in vector]


def _add(vector: list[float], feature: str, weight: float) -> None:
    """Add a feature to its bucket, with a sign of its own, so that collisions cancel rather than pile up."""
    digest = blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    number = int.from_bytes(digest, "big")
    vector[number % DIMENSIONS] += weight if number & 0x80000000 else -weight
