-- Accounts, keys, the ledger, messages. Money is whole nano-dollars.
create table account (
    id bigint generated always as identity primary key,
    name text not null unique,
    tenant text not null,
    role text not null default 'user' check (role in ('user', 'admin')),
    daily_budget_nanousd bigint check (daily_budget_nanousd >= 0)
);

create table api_key (
    digest bytea primary key,
    account_id bigint not null references account on delete cascade,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

-- One row a scope and day: 'service', 'tenant:NAME', 'user:ID'.
create table budget (
    scope text not null,
    day date not null,
    spent_nanousd bigint not null default 0,
    reserved_nanousd bigint not null default 0 check (reserved_nanousd >= 0),
    primary key (scope, day)
) with (fillfactor = 50);

-- One row a (request, attempt). held: counted in budget.reserved; settled: counted in budget.spent.
create table reservation (
    id text primary key,
    account_id bigint,
    tenant text not null,
    day date not null,
    model text not null,
    amount_nanousd bigint not null check (amount_nanousd >= 0),
    charged_nanousd bigint,
    prompt_tokens integer,
    completion_tokens integer,
    state text not null check (state in ('held', 'settled')),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index reservation_held on reservation (expires_at) where state = 'held';

create table message (
    id uuid primary key,
    account_id bigint not null,
    tenant text not null,
    request_id text not null,
    body jsonb not null,
    state text not null default 'queued' check (state in ('queued', 'done', 'failed')),
    attempts integer not null default 0,
    lease uuid,
    leased_until timestamptz,
    answer jsonb,
    created_at timestamptz not null default now(),
    finished_at timestamptz
);
create index message_queued on message (created_at) where state = 'queued';

create table feedback (
    id bigint generated always as identity primary key,
    account_id bigint not null,
    request_id text not null,
    score smallint not null check (score between 1 and 5),
    created_at timestamptz not null default now()
);

create table escalation (
    request_id text primary key,
    account_id bigint not null,
    created_at timestamptz not null default now()
);

create table knowledge (
    tenant text not null,
    id text not null,
    title text not null,
    body text not null,
    updated_at timestamptz not null default now(),
    primary key (tenant, id)
);
