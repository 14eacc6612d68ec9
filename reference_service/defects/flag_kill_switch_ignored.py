"""Planted defect: a feature that was switched off stays on for those who had it."""

from dataclasses import replace

from reference_service.operations.flags import Flag, RolloutProvider
from reference_service.parts import Parts


class StubbornProvider(RolloutProvider):
    """Reads the share and not the switch."""

    def taken(self, flags: dict[str, Flag]) -> dict[str, Flag]:
        """Take every flag for enabled."""
        return {name: Flag(enabled=True, rollout=flag.rollout) for name, flag in flags.items()}


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, flags=StubbornProvider)
