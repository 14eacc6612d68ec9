"""Faults, checks and objectives of people's own, without a fork: from a file beside the scenario or an installed package.

What a plug-in needs to declare itself; `docs/how-to/extend.md` walks through one of each.
"""

from harness.extensions.kinds import CheckExtension, Counted, FaultExtension, Figure, ObjectiveExtension
from harness.model.fault import Parameter

__all__ = ["CheckExtension", "Counted", "FaultExtension", "Figure", "ObjectiveExtension", "Parameter"]
