"""Somebody holds a lock on tables and does not let go: whoever needs them waits."""

from harness.model.fault import Parameter
from harness.model.fault_kinds.dependency import DATABASE, dependency

KIND = dependency(
    "lock",
    "Somebody holds a lock",
    Parameter(name="table", type=str, doc="which table, `schema.name` where it is not public; * is every one", default="*"),
    places=(DATABASE,),
)
