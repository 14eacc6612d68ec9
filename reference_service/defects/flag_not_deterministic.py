"""Planted defect: whether a feature is on for a user is drawn anew with each request."""

import secrets
from dataclasses import replace

from reference_service.operations.flags import BUCKETS, RolloutProvider
from reference_service.parts import Parts


class DiceProvider(RolloutProvider):
    """Throws a dice."""

    def place(self, flag_key: str, user: str) -> int:
        """Return a bucket, any bucket."""
        return secrets.randbelow(BUCKETS)


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, flags=DiceProvider)
