"""Planted defects by name: what a check must catch. Nothing here is imported by a healthy service but this table."""

from typing import NamedTuple


class Defect(NamedTuple):
    """What is wrong, which row of the readiness list it breaks, and the file that breaks it."""

    title: str
    row: str
    file: str


DEFECTS: dict[str, Defect] = {}
