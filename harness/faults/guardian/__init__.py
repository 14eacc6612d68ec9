"""The guardian: heals faults when the process that applied them no longer can.

The process itself is `python -m harness.faults.guardian`; `connection.Guardian` is control's end of its pipe,
`leftovers.heal_leftovers` does its work where it was killed too. It imports little, to start fast and to stay small.
"""
