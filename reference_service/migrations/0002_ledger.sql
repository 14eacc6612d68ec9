-- Settle, then reserve, in one transaction under one lock: every scope is checked before any is changed,
-- and two instances never interleave. Both halves are idempotent by reservation id.
create function ledger_charge(p_scope text, p_day date, p_reserved bigint, p_spent bigint) returns void
language sql as $$
    insert into budget (scope, day, reserved_nanousd, spent_nanousd) values (p_scope, p_day, greatest(p_reserved, 0), p_spent)
    on conflict (scope, day) do update
    -- A row that was lost and made anew (a restore) must not make every later settlement fail.
    set reserved_nanousd = greatest(0, budget.reserved_nanousd + p_reserved), spent_nanousd = budget.spent_nanousd + p_spent;
$$;

create function ledger_settle(p_id text, p_account bigint, p_tenant text, p_model text, p_charged bigint, p_prompt integer, p_completion integer)
returns void language plpgsql as $$
declare
    held reservation;
    scope_name text;
begin
    select * into held from reservation where id = p_id;
    if not found then
        -- The reservation never arrived, or arrives later: this row keeps it from being granted then.
        insert into reservation (id, account_id, tenant, day, model, amount_nanousd, charged_nanousd, prompt_tokens, completion_tokens, state, expires_at)
        values (p_id, p_account, p_tenant, (now() at time zone 'utc')::date, p_model, 0, p_charged, p_prompt, p_completion, 'settled', now())
        returning * into held;
    elsif held.state = 'settled' then
        return;
    else
        update reservation set state = 'settled', charged_nanousd = p_charged, prompt_tokens = p_prompt, completion_tokens = p_completion
        where id = p_id;
    end if;
    foreach scope_name in array array['service', 'tenant:' || held.tenant, 'user:' || held.account_id] loop
        perform ledger_charge(scope_name, held.day, -held.amount_nanousd, p_charged);
    end loop;
end;
$$;

-- choice: 0 refused, 1 the preferred amount, 2 the cheap one. On a refusal: the scope that was full.
create function ledger_reserve(
    p_id text, p_account bigint, p_tenant text, p_model text, p_amount bigint, p_cheap_model text, p_cheap_amount bigint, p_cheap_ratio double precision,
    p_lease double precision, p_service_limit bigint, p_tenant_limit bigint
) returns table (id text, choice integer, scope text, limit_nanousd bigint, spent_nanousd bigint, reserved_nanousd bigint)
language plpgsql as $$
#variable_conflict use_column
declare
    today date := (now() at time zone 'utc')::date;
    existing reservation;
    amount bigint := p_amount;
    model_name text := p_model;
    chosen integer := 1;
    part record;
begin
    select * into existing from reservation r where r.id = p_id;
    if found then
        return query select p_id, case when existing.state <> 'held' then 0 when existing.model = p_model then 1 else 2 end,
            'reservation'::text, existing.amount_nanousd, 0::bigint, 0::bigint;
        return;
    end if;
    for part in
        select s.scope, s.cap, coalesce(b.spent_nanousd, 0) as spent, coalesce(b.reserved_nanousd, 0) as reserved
        from (values
            ('user:' || p_account, (select a.daily_budget_nanousd from account a where a.id = p_account)),
            ('tenant:' || p_tenant, p_tenant_limit),
            ('service', p_service_limit)) as s (scope, cap)
        left join budget b on b.scope = s.scope and b.day = today
        where s.cap is not null
    loop
        if p_cheap_amount is not null and p_cheap_amount < amount and part.spent + part.reserved + amount > p_cheap_ratio * part.cap then
            amount := p_cheap_amount;
            model_name := p_cheap_model;
            chosen := 2;
        end if;
        if part.spent + part.reserved + amount > part.cap then
            return query select p_id, 0, part.scope, part.cap, part.spent, part.reserved;
            return;
        end if;
    end loop;
    insert into reservation (id, account_id, tenant, day, model, amount_nanousd, state, expires_at)
    values (p_id, p_account, p_tenant, today, model_name, amount, 'held', now() + make_interval(secs => p_lease));
    perform ledger_charge('service', today, amount, 0);
    perform ledger_charge('tenant:' || p_tenant, today, amount, 0);
    perform ledger_charge('user:' || p_account, today, amount, 0);
    return query select p_id, chosen, ''::text, amount, 0::bigint, 0::bigint;
end;
$$;

create function ledger_apply(
    s_id text[], s_account bigint[], s_tenant text[], s_model text[], s_charged bigint[], s_prompt integer[], s_completion integer[],
    r_id text[], r_account bigint[], r_tenant text[], r_model text[], r_amount bigint[], r_cheap_model text[], r_cheap_amount bigint[],
    p_cheap_ratio double precision, p_lease double precision, p_service_limit bigint, p_tenant_limit bigint
) returns table (id text, choice integer, scope text, limit_nanousd bigint, spent_nanousd bigint, reserved_nanousd bigint)
language plpgsql as $$
declare
    i integer;
begin
    perform pg_advisory_xact_lock(6061);
    for i in 1 .. coalesce(array_length(s_id, 1), 0) loop
        perform ledger_settle(s_id[i], s_account[i], s_tenant[i], s_model[i], s_charged[i], s_prompt[i], s_completion[i]);
    end loop;
    for i in 1 .. coalesce(array_length(r_id, 1), 0) loop
        return query select * from ledger_reserve(r_id[i], r_account[i], r_tenant[i], r_model[i], r_amount[i], r_cheap_model[i], r_cheap_amount[i],
            p_cheap_ratio, p_lease, p_service_limit, p_tenant_limit);
    end loop;
end;
$$;

-- A reservation whose holder died keeps its full amount: what was spent is unknown, and no more than this.
create function ledger_sweep() returns integer language plpgsql as $$
declare
    swept integer := 0;
    lost reservation;
begin
    perform pg_advisory_xact_lock(6061);
    for lost in select * from reservation r where r.state = 'held' and r.expires_at < now() order by r.expires_at limit 500 loop
        perform ledger_settle(lost.id, lost.account_id, lost.tenant, lost.model, lost.amount_nanousd, null, null);
        swept := swept + 1;
    end loop;
    return swept;
end;
$$;
