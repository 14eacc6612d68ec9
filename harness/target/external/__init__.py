"""A target that nobody here wrote: started or found as its description says, approached, never trusted."""

from harness.target.external.target import ExternalTarget

__all__ = ["ExternalTarget"]
