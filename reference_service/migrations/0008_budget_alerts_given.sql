-- An alert comes due, is claimed, is given, and only then stands as given: a claim whose answer was lost, or whose claimer
-- died, is claimed again. What stands here already, and what the version before writes, counts as given.
alter table budget_alert add column given_at timestamptz default now();
alter table budget_alert add column claimed_by text;
alter table budget_alert add column claimed_at timestamptz;
alter table budget_alert add column spent_nanousd bigint;
alter table budget_alert add column cap_nanousd bigint;
create index budget_alert_not_given on budget_alert (at) where given_at is null;

-- Notes what is due, as `budget_alerts` of the version before does, and claims at most p_most of what nobody has given: what
-- nobody claimed, what this claimer claimed before (its statement may come twice), and what was claimed p_claim_s ago. What
-- another is claiming at this moment is not waited for; an insert would wait, so nothing is inserted that stands there already.
create function budget_alerts_claim(p_claimer text, p_most integer, p_claim_s double precision,
    p_ratio double precision, p_service bigint, p_tenant bigint)
returns table (scope text, day date, level text, spent_nanousd bigint, cap_nanousd bigint) language sql as $$
    with capped as (
        select b.scope, b.day, b.spent_nanousd, case
            when b.scope = 'service' then p_service
            when b.scope like 'tenant:%' then p_tenant
            else a.daily_budget_nanousd end as cap
        from budget b left join account a on b.scope = 'user:' || a.id
        where b.day = (now() at time zone 'utc')::date
    )
    insert into budget_alert (scope, day, level, given_at, spent_nanousd, cap_nanousd)
    select c.scope, c.day, l.level, null, c.spent_nanousd, c.cap
    from capped c, (values ('warning', p_ratio), ('critical', 1.0::double precision)) as l (level, ratio)
    where c.cap is not null and c.spent_nanousd > 0 and c.spent_nanousd >= l.ratio * c.cap
        and not exists (select from budget_alert b where (b.scope, b.day, b.level) = (c.scope, c.day, l.level))
    order by c.scope, l.level
    on conflict do nothing;

    with mine as (
        select b.scope, b.day, b.level from budget_alert b
        where b.given_at is null
            and (b.claimed_by is null or b.claimed_by = p_claimer or b.claimed_at < now() - make_interval(secs => p_claim_s))
        order by b.at limit p_most for update skip locked
    )
    update budget_alert b set claimed_by = p_claimer, claimed_at = now() from mine m
    where (b.scope, b.day, b.level) = (m.scope, m.day, m.level)
    returning b.scope, b.day, b.level, b.spent_nanousd, b.cap_nanousd;
$$;
