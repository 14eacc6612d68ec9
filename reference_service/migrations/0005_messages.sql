-- Messages sealed at rest, a journal of how far each is, and the outbox of what is delivered.
-- Rows of this version carry a lease without end, so that a worker of the older version beside it lets them be.
alter table message alter column body drop not null;
alter table message add column body_sealed bytea;
alter table message add column answer_sealed bytea;
-- free: nobody is at it; claimed: before any call, may be begun again; calling: a call may have been paid, is never made again.
alter table message add column step text not null default 'free' check (step in ('free', 'claimed', 'calling'));
alter table message add column holder uuid;
alter table message add column held_until timestamptz;
alter table message add column not_before timestamptz not null default now();
create index message_open on message (created_at) where state = 'queued';

create table outbox (
    message_id uuid primary key references message on delete cascade,
    created_at timestamptz not null default now(),
    attempts integer not null default 0,
    next_at timestamptz not null default now(),
    delivered_at timestamptz
);
create index outbox_waiting on outbox (next_at) where delivered_at is null;

alter table escalation add column question_sealed bytea;
alter table escalation add column tenant text not null default '';
