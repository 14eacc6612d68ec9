"""Who of a locustfile's users comes: dealt by weight, the same each time."""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from locust import User


class Cast:
    """The user classes of a file. Deals one for each arrival by seed and number."""

    def __init__(self, users: Sequence[type[User]], seed: int) -> None:
        self._users = users
        self._bounds = list(accumulate(float(user.weight) for user in users))
        self._prefix = f"locustfile/{seed}/".encode()

    def choose(self, number: int) -> type[User]:
        """Return the class of the user that takes the arrival of this number."""
        digest = hashlib.blake2b(self._prefix + b"%d" % number, digest_size=7).digest()
        share = int.from_bytes(digest, "little") / 2**56 * self._bounds[-1]
        return self._users[min(bisect_right(self._bounds, share), len(self._users) - 1)]


def spread(users: Sequence[type[User]], count: int) -> list[type[User]]:
    """Return the classes of `count` users: first those with a fixed count, the rest by weight, by largest remainder."""
    fixed = [user for user in users for _ in range(user.fixed_count)][:count]
    weighted = [user for user in users if not user.fixed_count]
    left, total = count - len(fixed), sum(user.weight for user in weighted)
    if not weighted or left <= 0:
        return fixed
    shares = [left * user.weight / total for user in weighted]
    counts = [int(share) for share in shares]
    by_rest = sorted(range(len(weighted)), key=lambda place: counts[place] - shares[place])
    for place in by_rest[: left - sum(counts)]:
        counts[place] += 1
    return fixed + [user for user, many in zip(weighted, counts, strict=True) for _ in range(many)]
