"""Planted defect: a key that was rotated is refused at once, not after its overlap."""

from dataclasses import replace

from reference_service.guards.authenticate import Authenticate
from reference_service.parts import Parts


class AbruptAuthenticate(Authenticate):
    """Takes a key with an end for an ended one."""

    look_up = Authenticate.look_up.replace("or k.expires_at > now()", "")


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, authenticate=AbruptAuthenticate)
