"""What the k-th arrival asks: dealt by the seed, the same whoever sends it."""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from harness.model.plan import LoadPlan, UserClass

_THREE = struct.Struct("<3Q")
_TOP = 2.0**-53


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One arrival's request. user_class: its place in the mix; prompt: its place in the class's prompts."""

    user_class: int
    prompt: int
    streamed: bool
    principal: int


class Dealer:
    """Deals the mix of a plan. Raises ValueError on a mix that nothing can be dealt from."""

    def __init__(self, load: LoadPlan, seed: int) -> None:
        if not load.mix or any(not user_class.prompts for user_class in load.mix):
            raise ValueError("a mix needs at least one class, and each class a prompt")
        if load.principals < 1:
            raise ValueError("a mix needs at least one principal")
        self._bounds = _bounds(load.mix)
        self._prompts = [len(user_class.prompts) for user_class in load.mix]
        self._streamed_ratio = load.streamed_ratio
        self._principals = load.principals
        self._prefix = f"deal/{seed}/".encode()

    def deal(self, k: int) -> Deal:
        """Return the deal of the k-th arrival of the mix: a pure function of the seed and k."""
        digest = hashlib.blake2b(self._prefix + b"%d" % k, digest_size=24).digest()
        of_class, of_stream, of_prompt = _THREE.unpack(digest)
        chosen = min(bisect_right(self._bounds, (of_class >> 11) * _TOP), len(self._bounds) - 1)
        return Deal(
            user_class=chosen,
            prompt=of_prompt % self._prompts[chosen],
            streamed=(of_stream >> 11) * _TOP < self._streamed_ratio,
            principal=k % self._principals,
        )


def principal_name(number: int) -> str:
    """Return the name of an ordinary user: `user-0000` and on."""
    return f"user-{number:04d}"


def _bounds(mix: Sequence[UserClass]) -> list[float]:
    total = sum(user_class.weight_ratio for user_class in mix)
    if not total > 0 or any(user_class.weight_ratio < 0 for user_class in mix):
        raise ValueError("the weights of a mix are at least 0 and sum to more than 0")
    return [weight / total for weight in accumulate(user_class.weight_ratio for user_class in mix)]
