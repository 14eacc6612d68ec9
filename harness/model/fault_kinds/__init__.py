"""The kinds of faults, one file each, and what can be said of a fault before anything runs.

`FAULT_KINDS` has every kind by name, `check_fault` finds what is wrong with one use of it, `complete` fills in the
defaults, `contradiction` tells two faults that cannot be in force at one place together. `adopt` adds the kinds of
plug-ins, `own_places` tells the places that these bring.
"""

from harness.model.fault_kinds.catalogue import FAULT_KINDS, adopt, own_places
from harness.model.fault_kinds.checking import check_fault, complete
from harness.model.fault_kinds.overlap import contradiction

__all__ = ["FAULT_KINDS", "adopt", "check_fault", "complete", "contradiction", "own_places"]
