"""The run directory: the one interface between measuring and judging."""

from harness.rundir.directory import RunDirectory

__all__ = ["RunDirectory"]
