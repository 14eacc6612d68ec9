"""Planted defect: who knows a message's id may read its answer, whoever asked it."""

from dataclasses import replace

from reference_service.message_store import DeskStore
from reference_service.parts import Parts


class OpenDeskStore(DeskStore):
    """Looks for the id alone."""

    fetch_sql = "select state, answer, answer_sealed from message where id = $1 and $2::bigint is not null"


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, desk_store=OpenDeskStore)
