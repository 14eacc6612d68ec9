-- Keys that end by themselves; what changed since an instance last looked; roles.
alter table api_key add column expires_at timestamptz;
alter table api_key add column hint text not null default '';
create table key_change (id bigint generated always as identity primary key, changed_at timestamptz not null default now());
create function key_changed() returns trigger language plpgsql as $$
begin
    insert into key_change default values;
    delete from key_change where changed_at < now() - interval '1 hour';
    return null;
end;
$$;
create trigger key_changed after update or delete on api_key for each statement execute function key_changed();
create trigger account_changed after update or delete on account for each statement execute function key_changed();
alter table account drop constraint account_role_check;
alter table account add constraint account_role_check check (role in ('user', 'admin', 'auditor'));

-- What was done: append-only, each entry bound to the one before it. `audit_head` says how long the chain is, so that
-- entries cut off its end are missed too.
create table audit (
    seq bigint primary key,
    at timestamptz not null,
    request_id text not null,
    actor text not null,
    tenant text not null,
    action text not null,
    outcome text not null,
    detail text not null,
    previous bytea not null,
    hash bytea not null
);
create table audit_head (only_one boolean primary key default true check (only_one), seq bigint not null, hash bytea not null);
insert into audit_head (seq, hash) values (0, '\x00');

create function audit_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only';
end;
$$;
create trigger audit_append_only before update or delete on audit for each row execute function audit_refuse_change();
create trigger audit_no_truncate before truncate on audit for each statement execute function audit_refuse_change();

-- Length before each field: no two different entries write the same bytes.
create function audit_hash(p_previous bytea, p_seq bigint, p_at timestamptz, p_fields text[]) returns bytea language sql stable as $$
    select sha256(p_previous || convert_to(
        p_seq || '|' || to_char(p_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '|' ||
        (select string_agg(octet_length(f) || ':' || f, '|' order by n) from unnest(p_fields) with ordinality as u (f, n)), 'UTF8'));
$$;

-- ids make saying it again harmless: an entry's id is kept for an hour.
create table audit_seen (id uuid primary key, at timestamptz not null default now());
create function audit_append(p_entries jsonb) returns table (seq bigint, hash bytea) language plpgsql as $$
#variable_conflict use_column
declare
    head audit_head;
    entry record;
    fields text[];
begin
    select * into head from audit_head for update;
    delete from audit_seen where audit_seen.at < now() - interval '1 hour';
    for entry in select * from jsonb_to_recordset(p_entries)
        as e (id uuid, at timestamptz, request_id text, actor text, tenant text, action text, outcome text, detail text) loop
        insert into audit_seen (id) values (entry.id) on conflict do nothing;
        continue when not found;
        fields := array[entry.request_id, entry.actor, entry.tenant, entry.action, entry.outcome, entry.detail];
        insert into audit (seq, at, request_id, actor, tenant, action, outcome, detail, previous, hash)
        values (head.seq + 1, entry.at, entry.request_id, entry.actor, entry.tenant, entry.action, entry.outcome, entry.detail, head.hash,
            audit_hash(head.hash, head.seq + 1, entry.at, fields))
        returning audit.seq, audit.hash into head.seq, head.hash;
    end loop;
    update audit_head set seq = head.seq, hash = head.hash;
    return query select head.seq, head.hash;
end;
$$;
