"""The knowledge base in PostgreSQL: put a document in, take one out, find passages.

A search ranks by meaning and by words, and joins both ranks (reciprocal rank fusion), so that neither scale rules the
other. What is neither near in meaning nor shares a word is not returned: no passage is better than a wrong one.
"""

from collections.abc import Sequence

import msgspec

from reference_service.database import Database
from reference_service.retrieval.embedding import Embedder
from reference_service.retrieval.passages import cut
from reference_service.turn import Passage

_PUT = """
with document as (
    insert into knowledge (tenant, id, title, body) values ($1, $2, $3, $4)
    on conflict (tenant, id) do update set title = excluded.title, body = excluded.body, updated_at = now()
    returning tenant, id
), gone as (
    delete from passage where tenant = $1 and document_id = $2 and ordinal >= $6
), passages as (
    insert into passage (tenant, document_id, ordinal, title, body, embedder, embedding)
    select d.tenant, d.id, p.ordinal, $3, p.body, $5, p.embedding::text::vector
    from document d, jsonb_to_recordset($7::jsonb) as p (ordinal integer, body text, embedding jsonb)
    on conflict (tenant, document_id, ordinal) do update set title = excluded.title, body = excluded.body,
        embedder = excluded.embedder, embedding = excluded.embedding
)
insert into invalidation default values returning id
"""
_DELETE = """
with gone as (delete from knowledge where tenant = $1 and id = $2 returning id)
insert into invalidation (requested_at) select now() from gone returning id
"""
_ANY = "select exists (select from knowledge where tenant = $1) as found"
_WITHOUT_PASSAGES = """
select k.tenant, k.id, k.title, k.body from knowledge k
where not exists (select from passage p where p.tenant = k.tenant and p.document_id = k.id and p.embedder = $1)
order by k.tenant, k.id limit 100
"""
_SEARCH = """
with asked as (
    select $2::text::vector as v, replace(plainto_tsquery('english', $3)::text, '&', '|')::tsquery as words
), near as (
    select document_id, ordinal, 1 - (embedding <=> v) as similarity,
        row_number() over (order by embedding <=> v, document_id, ordinal) as place
    from passage, asked where tenant = $1 and embedder = $4 order by embedding <=> v, document_id, ordinal limit 20
), said as (
    select document_id, ordinal, row_number() over (order by ts_rank(p.words, asked.words) desc, document_id, ordinal) as place
    from passage p, asked where tenant = $1 and embedder = $4 and p.words @@ asked.words limit 20
)
select p.document_id, p.title, p.body, 1 - (p.embedding <=> asked.v) as similarity
from asked, passage p
left join near using (document_id, ordinal) left join said using (document_id, ordinal)
where p.tenant = $1 and p.embedder = $4
    and 1 - (p.embedding <=> asked.v) >= $5::float8 * case when said.place is null then 1 else 0.5 end
order by coalesce(1.0 / (60 + near.place), 0) + coalesce(1.0 / (60 + said.place), 0) desc, similarity desc,
    p.document_id, p.ordinal
limit $6
"""


class Knowledge:
    """The documents of every tenant; a tenant's search never sees another's."""

    search_sql = _SEARCH

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder

    async def put(self, tenant: str, document_id: str, title: str, body: str) -> int:
        """Store a document with its passages, and ask for invalidation, in one transaction; return that asking's id.

        Raises StoreUnavailable, EmbeddingUnavailable; then nothing was stored.
        """
        passages = cut(body)
        vectors = await self._embedder.embed([f"{title} {p}" for p in passages])
        rows = msgspec.json.encode(
            [{"ordinal": i, "body": p, "embedding": v} for i, (p, v) in enumerate(zip(passages, vectors, strict=True))]
        )
        stored = await self._database.rows(
            _PUT, tenant, document_id, title, body, self._embedder.name, len(passages), rows.decode()
        )
        return int(stored[0]["id"])

    async def remove(self, tenant: str, document_id: str) -> int | None:
        """Remove a document; return the asking for invalidation, None where there was no such document."""
        rows = await self._database.rows(_DELETE, tenant, document_id)
        return int(rows[0]["id"]) if rows else None

    async def holds_any(self, tenant: str) -> bool:
        """Return whether the tenant has any document. Raises StoreUnavailable."""
        return bool((await self._database.rows(_ANY, tenant))[0]["found"])

    async def search(self, tenant: str, question: str, *, limit: int, least_score: float) -> tuple[Passage, ...]:
        """Return the best passages, best first. Raises StoreUnavailable, EmbeddingUnavailable."""
        vector = (await self._embedder.embed([question]))[0]
        rows = await self._database.rows(
            self.search_sql, tenant, text_of(vector), question, self._embedder.name, least_score, limit
        )
        return tuple(
            Passage(document_id=r["document_id"], title=r["title"], text=r["body"], score=round(float(r["similarity"]), 4))
            for r in rows
        )

    async def index_missing(self) -> int:
        """Cut and embed documents that have no passages of this embedder (older versions stored none); return how many."""
        rows = await self._database.rows(_WITHOUT_PASSAGES, self._embedder.name)
        for row in rows:
            await self.put(row["tenant"], row["id"], row["title"], row["body"])
        return len(rows)


def text_of(vector: Sequence[float]) -> str:
    """Return a vector as PostgreSQL reads it."""
    return "[" + ",".join("0" if x == 0 else f"{x:.6g}" for x in vector) + "]"
