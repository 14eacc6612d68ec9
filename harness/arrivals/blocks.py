"""Which of two versions an arrival goes to: blocks of time in pairs, each pair dealt by a coin of the seed. Pure.

Of the blocks 2j and 2j + 1 one goes to either version. What makes a machine slow for a while makes it slow for both, and
the coin keeps a rhythm of the machine from falling in with the rhythm of the blocks.
"""

import hashlib


def pair_of(at_ns: int, block_ns: int) -> int:
    """Return the number of the pair of blocks that a moment lies in."""
    return at_ns // (2 * block_ns)


def arm_of(at_ns: int, block_ns: int, seed: int) -> int:
    """Return the version, 0 or 1, that an arrival intended at a moment goes to."""
    coin = hashlib.blake2b(b"blocks/%d/%d" % (seed, pair_of(at_ns, block_ns)), digest_size=1).digest()[0] & 1
    return (at_ns // block_ns) % 2 ^ coin
