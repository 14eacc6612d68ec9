"""Reads are served and writes are refused: a store that was demoted, a database that lost its primary."""

from harness.model.fault_kinds.dependency import DATABASE, STORE, dependency

KIND = dependency("read_only", "Writes are refused", places=(STORE, DATABASE))
