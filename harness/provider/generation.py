"""What a simulated model says and how fast: a function of the seed and the request, whatever the order of requests.

Length and words depend on (seed, model, prompt); the time to the first token also on the endpoint and on how often the
same prompt was asked before, so that a repeated question does not repeat its timing.
"""

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

from harness.model.simulated import SimulatedModel

MEDIAN_TOKENS = 60
SIGMA = 0.6
MIN_TOKENS = 5
MAX_TOKENS = 400
Z_P99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""

MAX_REMEMBERED_PROMPTS = 200_000

_ONSETS = ("b", "d", "f", "k", "l", "m", "n", "p", "r", "s", "t", "v")
_VOWELS = ("a", "e", "i", "o", "u")
WORDS = tuple(f"{a}{v}{b}{w} " for a in _ONSETS for v in _VOWELS for b in ("l", "n", "r", "s") for w in ("a", "o"))[:256]
"""256 pseudo-words with a space after each: one is one token of an answer, and one byte of a digest chooses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One answer of a model: a word a token.

    cut: max_tokens ended it before the model did (finish_reason `length`).
    """

    words: tuple[str, ...]
    cut: bool


def generate(*, seed: int, model: str, prompt: bytes, max_tokens: int | None) -> Generation:
    """Return the model's answer: lognormal length around 60 tokens within 5..400, never above max_tokens."""
    key = _digest(seed, "answer", model, prompt)
    length = min(MAX_TOKENS, max(MIN_TOKENS, round(MEDIAN_TOKENS * math.exp(SIGMA * _normal(key)))))
    said = length if max_tokens is None else min(length, max_tokens)
    return Generation(words=words_of(key, said), cut=said < length)


def words_of(key: bytes, count: int) -> tuple[str, ...]:
    """Return the first `count` words of the endless text that belongs to a key."""
    return tuple(map(WORDS.__getitem__, hashlib.shake_128(key).digest(count)))


class FirstTokens:
    """Draws the time to the first token: lognormal, by the model's median and 99th percentile."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked: dict[bytes, int] = {}

    def wait_ns(self, *, endpoint: str, model: SimulatedModel, prompt: bytes) -> int:
        """Return nanoseconds from the call's arrival to its first token; the n-th call of a prompt has its own."""
        if len(self._asked) >= MAX_REMEMBERED_PROMPTS:
            self._asked.clear()
        key = _digest(self._seed, endpoint, model.name, prompt)
        times = self._asked.get(key, 0)
        self._asked[key] = times + 1
        draw = _normal(hashlib.blake2b(key + times.to_bytes(4, "big"), digest_size=8).digest())
        sigma = math.log(model.first_token_p99_ms / model.first_token_p50_ms) / Z_P99
        return round(model.first_token_p50_ms * math.exp(sigma * draw) * 1e6)


def _digest(seed: int, purpose: str, model: str, prompt: bytes) -> bytes:
    parts = f"{seed}\0{purpose}\0{model}\0".encode()
    return hashlib.blake2b(parts + prompt, digest_size=8).digest()


def _normal(key: bytes) -> float:
    """Return a draw of the standard normal distribution that belongs to the eight bytes of a key."""
    # Within (0, 1): 53 bits, so that no rounding reaches an end.
    return NormalDist().inv_cdf(((int.from_bytes(key, "big") >> 11) + 0.5) / (1 << 53))
