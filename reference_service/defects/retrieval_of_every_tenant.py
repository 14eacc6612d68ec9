"""Planted defect: a tenant's question is answered from another tenant's documents."""

from dataclasses import replace

from reference_service.parts import Parts
from reference_service.retrieval.knowledge import Knowledge


class SharedKnowledge(Knowledge):
    """Searches all documents there are."""

    search_sql = Knowledge.search_sql.replace("p.tenant = $1", "true").replace("tenant = $1", "$1::text is not null")

    async def holds_any(self, tenant: str) -> bool:
        """Say yes: somebody has some."""
        return True


def plant(parts: Parts) -> Parts:
    """Return the parts with the broken one in place."""
    return replace(parts, knowledge=SharedKnowledge)
