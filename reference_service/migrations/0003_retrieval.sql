-- Passages of the knowledge base, found by meaning (pgvector) and by words (full text).
-- No approximate index: a tenant's passages are few, an exact search is the same each time, and a filter cannot starve it.
create extension if not exists vector;

create table passage (
    tenant text not null,
    document_id text not null,
    ordinal integer not null,
    title text not null,
    body text not null,
    embedder text not null,
    embedding vector(1024) not null,
    words tsvector generated always as (to_tsvector('english', title || ' ' || body)) stored,
    primary key (tenant, document_id, ordinal),
    foreign key (tenant, document_id) references knowledge (tenant, id) on delete cascade
);
create index passage_words on passage using gin (words);

-- A change of knowledge whose cached answers are not yet invalidated on every instance; written with the change itself.
create table invalidation (
    id bigint generated always as identity primary key,
    requested_at timestamptz not null default now()
);
