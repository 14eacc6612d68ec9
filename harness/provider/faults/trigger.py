"""Which calls a fault acts on: filters choose the calls that count, one of the counting rules picks among them.

`{}` is always. `{"model": "sim-large", "every_nth": 3}` is every third call of that model.
A share is drawn from the seed, the request and how often that request came: the same set of requests in another order,
retries included, meets the same faults.
"""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.fault import Parameter, Scalar
from harness.provider.faults.checking import RejectedError, checked

MAX_REMEMBERED_REQUESTS = 200_000

TRIGGERS: tuple[Parameter, ...] = (
    Parameter(name="always", type=bool, doc="act on every call that the filters let through (what an empty trigger does)"),
    Parameter(name="share", type=float, doc="act on this share of the calls, drawn from the seed", low=0.0, high=1.0),
    Parameter(name="nth", type=int, doc="act on the n-th call only", low=1, high=1e9),
    Parameter(name="every_nth", type=int, doc="act on every n-th call", low=1, high=1e9),
    Parameter(name="first_n", type=int, doc="act on the first n calls, then never again", low=1, high=1e9),
    Parameter(
        name="window_from_ms", type=float, unit="ms", doc="act from this long after the fault was set", low=0, high=86_400_000
    ),
    Parameter(
        name="window_to_ms", type=float, unit="ms", doc="act until this long after the fault was set", low=0, high=86_400_000
    ),
    Parameter(name="key", type=str, doc="only calls of the key with this fingerprint (12 hex digits of its sha256)"),
    Parameter(name="model", type=str, doc="only calls of this model"),
    Parameter(name="header", type=str, doc="only calls with this header: `x-tenant`, or `x-tenant: acme`"),
)
COUNTING = ("always", "share", "nth", "every_nth", "first_n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a trigger sees of a call. prompt: what makes two requests the same. headers: names in lower case."""

    model: str
    key_fingerprint: str
    headers: Mapping[str, str]
    prompt: bytes
    received_ns: int


class Trigger:
    """One fault's trigger with what it has counted. set_ns: when the fault was set, the zero of its window."""

    def __init__(self, given: Mapping[str, object], *, seed: int, set_ns: int) -> None:
        """Raises RejectedError."""
        self.values = checked(given, TRIGGERS, "trigger")
        rules = [name for name in COUNTING if name in self.values]
        if len(rules) > 1:
            raise RejectedError(
                f"trigger.{rules[0]} and trigger.{rules[1]} exclude each other; give one of {', '.join(COUNTING)}"
            )
        if self.values.get("always") is False:
            raise RejectedError("trigger.always is False; allowed: true, or leave it out")
        self._rule = rules[0] if rules else "always"
        start, end = self.values.get("window_from_ms"), self.values.get("window_to_ms")
        self._from_ns = set_ns + _ns(start) if start is not None else None
        self._to_ns = set_ns + _ns(end) if end is not None else None
        if self._from_ns is not None and self._to_ns is not None and self._from_ns >= self._to_ns:
            raise RejectedError("trigger.window_to_ms must be above trigger.window_from_ms")
        name, _, value = str(self.values.get("header", "")).partition(":")
        self._header = (name.strip().lower(), value.strip())
        self._seed = seed
        self._count = 0
        self._seen: dict[bytes, int] = {}

    def fires(self, asked: Asked) -> bool:
        """Return whether the fault acts on this call; counts it when the filters let it through."""
        if not self._lets_through(asked):
            return False
        self._count += 1
        if self._rule == "share":
            return self._draw(asked) < float(self.values["share"])
        if self._rule == "always":
            return True
        n = int(self.values[self._rule])
        return {"nth": self._count == n, "every_nth": self._count % n == 0, "first_n": self._count <= n}[self._rule]

    def _lets_through(self, asked: Asked) -> bool:
        if self._from_ns is not None and asked.received_ns < self._from_ns:
            return False
        if self._to_ns is not None and asked.received_ns >= self._to_ns:
            return False
        if self.values.get("key", asked.key_fingerprint) != asked.key_fingerprint:
            return False
        if self.values.get("model", asked.model) != asked.model:
            return False
        name, value = self._header
        return not name or (name in asked.headers and (not value or asked.headers[name] == value))

    def _draw(self, asked: Asked) -> float:
        digest = hashlib.blake2b(f"{self._seed}\0{asked.model}\0".encode() + asked.prompt, digest_size=8).digest()
        if len(self._seen) >= MAX_REMEMBERED_REQUESTS:
            self._seen.clear()
        times = self._seen.get(digest, 0)
        self._seen[digest] = times + 1
        return random.Random(digest + times.to_bytes(4, "big")).random()


def _ns(milliseconds: Scalar) -> int:
    return round(float(milliseconds) * 1e6)
