-- Which alert was given for which scope and day: each is given once, by one instance.
create table budget_alert (
    scope text not null,
    day date not null,
    level text not null check (level in ('warning', 'critical')),
    at timestamptz not null default now(),
    primary key (scope, day, level)
);

-- warning: spent passed the ratio. critical: spent passed the cap, or a request was refused for want of what is left.
create function budget_alerts(p_ratio double precision, p_service bigint, p_tenant bigint)
returns table (scope text, level text, spent_nanousd bigint, cap_nanousd bigint) language sql as $$
    with capped as (
        select b.scope, b.day, b.spent_nanousd, case
            when b.scope = 'service' then p_service
            when b.scope like 'tenant:%' then p_tenant
            else a.daily_budget_nanousd end as cap
        from budget b left join account a on b.scope = 'user:' || a.id
        where b.day = (now() at time zone 'utc')::date
    ), due as (
        select c.*, l.level from capped c, (values ('warning', p_ratio), ('critical', 1.0::double precision)) as l (level, ratio)
        where c.cap is not null and c.spent_nanousd > 0 and c.spent_nanousd >= l.ratio * c.cap
    ), given as (
        insert into budget_alert (scope, day, level) select d.scope, d.day, d.level from due d on conflict do nothing
        returning scope, day, level
    )
    select g.scope, g.level, d.spent_nanousd, d.cap from given g join due d using (scope, day, level);
$$;
