"""The command line: thin commands over the rooms, loaded only when they are called."""

from harness.cli.main import main

__all__ = ["main"]
