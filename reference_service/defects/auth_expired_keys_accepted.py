"""Planted defect: a key goes on after the end of its overlap."""

from dataclasses import replace

from reference_service.guards.authenticate import Authenticate
from reference_service.parts import Parts


class EternalAuthenticate(Authenticate):
    """Looks at no end."""

    look_up = Authenticate.look_up.replace("k.expires_at - now()", "null::interval").replace("k.expires_at > now()", "true")


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, authenticate=EternalAuthenticate)
