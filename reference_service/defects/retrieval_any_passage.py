"""Planted defect: passages are taken as they come, whatever was asked."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.retrieval.knowledge import Knowledge


class BlindKnowledge(Knowledge):
    """Takes the first passages of the table."""

    search_sql = """
    select document_id, title, body, 1.0 as similarity from passage
    where tenant = $1 and $2::text is not null and $3::text is not null and embedder = $4 and $5::float8 is not null
    order by document_id, ordinal limit $6
    """


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, knowledge=BlindKnowledge)
