"""What the k-th arrival asks: dealt by the seed, the same whoever sends it."""

import hashlib
import math
import struct
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from statistics import NormalDist
from typing import NamedTuple

from harness.model.plan import LoadPlan, TokenLengths, UserClass

_THREE = struct.Struct("<3Q")
_TOP = 2.0**-53
_P95 = NormalDist().inv_cdf(0.95)


class Deal(NamedTuple):
    """One arrival's request. user_class: its place in the mix; prompt: its place in the class's prompts.

    prompt_tokens: how long the prompt is to be, -1 as it is.
    """

    user_class: int
    prompt: int
    streamed: bool
    principal: int
    prompt_tokens: int = -1


class Dealer:
    """Deals the mix of a plan. Raises ValueError on a mix that nothing can be dealt from."""

    def __init__(self, load: LoadPlan, seed: int) -> None:
        if not load.mix or any(not user_class.prompts for user_class in load.mix):
            raise ValueError("a mix needs at least one class, and each class a prompt")
        if load.principals < 1:
            raise ValueError("a mix needs at least one principal")
        self._bounds = _bounds(load.mix)
        self._lengths = [user_class.prompt_tokens for user_class in load.mix]
        self._prompts = [len(user_class.prompts) for user_class in load.mix]
        self._streamed_ratio = load.streamed_ratio
        self._principals = load.principals
        drawn = len(load.mix) > 1 or 0 < load.streamed_ratio < 1 or self._prompts != [1] or self._lengths != [None]
        self._the_only = None if drawn else load.streamed_ratio >= 1
        self._prefix = f"deal/{seed}/".encode()
        self._begun = hashlib.blake2b(self._prefix, digest_size=_THREE.size)

    def deal(self, k: int) -> Deal:
        """Return the deal of the k-th arrival of the mix: a pure function of the seed and k."""
        if self._the_only is not None:  # where there is nothing to draw, nothing is drawn
            return Deal(0, 0, self._the_only, k % self._principals)
        hashed = self._begun.copy()  # half the time of beginning anew
        hashed.update(b"%d" % k)
        of_class, of_stream, of_prompt = _THREE.unpack(hashed.digest())
        chosen = min(bisect_right(self._bounds, (of_class >> 11) * _TOP), len(self._bounds) - 1)
        lengths = self._lengths[chosen]
        return Deal(
            chosen,
            of_prompt % self._prompts[chosen],
            (of_stream >> 11) * _TOP < self._streamed_ratio,
            k % self._principals,
            -1 if lengths is None else self._length(lengths, k),
        )

    def _length(self, lengths: TokenLengths, k: int) -> int:
        digest = hashlib.blake2b(self._prefix + b"%d/tokens" % k, digest_size=8).digest()
        share = ((int.from_bytes(digest, "little") >> 12) + 0.5) * 2.0**-52  # strictly between 0 and 1
        spread = math.log(lengths.p95 / lengths.median) / _P95
        drawn = round(lengths.median * math.exp(spread * NormalDist().inv_cdf(share)))
        return min(max(drawn, lengths.least), lengths.most)


def principal_name(number: int) -> str:
    """Return the name of an ordinary user: `user-0000` and on."""
    return f"user-{number:04d}"


def _bounds(mix: Sequence[UserClass]) -> list[float]:
    total = sum(user_class.weight_ratio for user_class in mix)
    if not total > 0 or any(user_class.weight_ratio < 0 for user_class in mix):
        raise ValueError("the weights of a mix are at least 0 and sum to more than 0")
    return [weight / total for weight in accumulate(user_class.weight_ratio for user_class in mix)]
