"""The laws of the budget, its alerts and the rate limit, on the real stores: whatever the order, no cap is passed."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_stack import Stack, running_stack

from reference_service.alerts import BudgetAlerts
from reference_service.breaker import Breaker, BreakerRules
from reference_service.database import Connection, Database
from reference_service.errors import StoreUnavailable
from reference_service.guards.rate_limit import WINDOWS
from reference_service.ledger import Ledger, Settlement, Wanted
from reference_service.migrate import migrations
from reference_service.settings import Settings
from reference_service.store import Store

USER_CAP, TENANT_CAP, SERVICE_CAP = 1000, 1500, 2000
LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        users = [
            {"name": f"u{i}", "key": f"sk-ledger-user-{i:04}", "tenant": "t", "daily_budget_usd": USER_CAP / 1e9}
            for i in range(3)
        ]
        done = running.provision(json.dumps({"users": users}))
        assert done.returncode == 0, done.stderr
        yield running


def make(stack: Stack, **more: object) -> tuple[Database, Ledger]:
    chosen = Settings(
        database_url=stack.database_url,
        service_budget_usd=SERVICE_CAP / 1e9,
        tenant_budget_usd=TENANT_CAP / 1e9,
        database_timeout_s=3,
        **more,
    )
    database = Database(chosen, Breaker(BreakerRules(failures=5, open_s=1.0)))
    return database, Ledger(database, chosen)


def wanted(name: str, account: int, amount: int, cheap: int | None = None) -> Wanted:
    return Wanted(
        id=name,
        account_id=account,
        tenant="t",
        model="large",
        amount_nanousd=amount,
        cheap_model=None if cheap is None else "cheap",
        cheap_nanousd=cheap,
    )


def settled(name: str, account: int, charged: int) -> Settlement:
    return Settlement(
        id=name, account_id=account, tenant="t", model="large", charged_nanousd=charged, prompt_tokens=1, completion_tokens=1
    )


async def budgets(stack: Stack) -> dict[str, tuple[int, int]]:
    connection = await asyncpg.connect(stack.database_url)
    try:
        return {r["scope"]: (r["spent_nanousd"], r["reserved_nanousd"]) for r in await connection.fetch("select * from budget")}
    finally:
        await connection.close()


async def empty(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute("truncate budget, reservation")
    finally:
        await connection.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "settle-twice", "reserve-again", "lose"]),
        st.integers(1, 3),
        st.integers(0, 700),
        st.integers(0, 100),
    ),
    max_size=25,
)


@LAW
@given(STEPS)
def test_no_cap_of_any_scope_is_passed_and_each_settlement_counts_once(stack: Stack, steps: list[tuple[str, int, int, int]]):
    async def run() -> None:
        await empty(stack)
        database, ledger = make(stack)
        await database.open()
        ledger.start()
        held: dict[str, tuple[int, int]] = {}
        spent = 0
        for number, (what, account, amount, percent) in enumerate(steps):
            name = f"r{number}"
            if what == "reserve":
                verdict = await ledger.reserve(wanted(name, account, amount))
                if verdict.granted_nanousd is not None:
                    held[name] = (account, amount)
                else:
                    assert verdict.spent_nanousd + verdict.reserved_nanousd + amount > verdict.limit_nanousd
            elif held:
                name = sorted(held)[amount % len(held)]
                owner, kept = held[name]
                if what == "reserve-again":
                    assert (await ledger.reserve(wanted(name, owner, kept))).granted_nanousd == kept
                    continue
                charged = kept * percent // 100
                ledger.settle(settled(name, owner, charged))
                if what == "settle-twice":
                    await ledger.close(3)
                    ledger = Ledger(database, make(stack)[1]._settings)  # another instance says it again, with another sum
                    ledger.start()
                    ledger.settle(settled(name, owner, charged + 1))
                del held[name]
                spent += charged
        assert await ledger.close(3) == 0
        await database.close()
        rows = await budgets(stack)
        assert rows.get("service", (0, 0)) == (spent, sum(a for _, a in held.values()))
        assert sum(rows.get("service", (0, 0))) <= SERVICE_CAP
        assert sum(rows.get("tenant:t", (0, 0))) <= TENANT_CAP
        for account in (1, 2, 3):
            assert sum(rows.get(f"user:{account}", (0, 0))) <= USER_CAP

    asyncio.run(run())


def test_two_instances_in_a_burst_grant_exactly_what_fits(stack: Stack):
    async def burst(prefix: str) -> int:
        database, ledger = make(stack)
        await database.open()
        ledger.start()
        verdicts = await asyncio.gather(*(ledger.reserve(wanted(f"{prefix}{i}", 1, 90)) for i in range(60)))
        await ledger.close(3)
        await database.close()
        return sum(v.granted_nanousd is not None for v in verdicts)

    asyncio.run(empty(stack))
    with ThreadPoolExecutor(2) as pool:
        granted = list(pool.map(lambda prefix: asyncio.run(burst(prefix)), ("a", "b")))
    assert sum(granted) == USER_CAP // 90


def test_past_nine_tenths_the_cheap_amount_is_granted_and_at_the_cap_nothing(stack: Stack):
    async def run() -> list[tuple[int | None, bool]]:
        await empty(stack)
        database, ledger = make(stack)
        await database.open()
        ledger.start()
        out = [await ledger.reserve(wanted(f"c{i}", 1, amount, 60)) for i, amount in enumerate((900, 100, 100))]
        await ledger.close(3)
        await database.close()
        return [(v.granted_nanousd, v.cheap) for v in out]

    assert asyncio.run(run()) == [(900, False), (60, True), (None, False)]


def test_a_settlement_that_comes_before_its_reservation_keeps_it_from_being_granted(stack: Stack):
    async def run() -> None:
        await empty(stack)
        database, ledger = make(stack)
        await database.open()
        ledger.start()
        ledger.settle(settled("late", 1, 5))
        verdict = await ledger.reserve(wanted("late", 1, 100))
        assert verdict.granted_nanousd is None
        await ledger.close(3)
        await database.close()
        assert (await budgets(stack))["user:1"] == (5, 0)

    asyncio.run(run())


def test_a_reservation_whose_holder_died_is_charged_in_full_once_its_lease_ends(stack: Stack):
    async def run() -> None:
        await empty(stack)
        database, ledger = make(stack, reservation_lease_s=0.05)
        await database.open()
        ledger.start()
        await ledger.reserve(wanted("dead", 1, 300))
        await asyncio.sleep(0.1)
        await database.rows("select ledger_sweep()")
        await database.rows("select ledger_sweep()")
        await ledger.close(1)
        await database.close()
        assert (await budgets(stack))["user:1"] == (300, 0)

    asyncio.run(run())


def test_a_settlement_outlives_a_database_that_is_away(stack: Stack):
    async def run() -> None:
        await empty(stack)
        database, _ = make(stack)
        _, away = make(stack)
        await database.open()
        settlement = settled("kept", 1, 7)
        away.start()
        away.settle(settlement)  # its database was never opened
        with pytest.raises(StoreUnavailable):
            await away.reserve(wanted("x", 1, 1))
        assert away.unsettled >= 1
        away._database = database
        assert await away.close(3) == 0
        await database.close()
        assert (await budgets(stack))["user:1"] == (7, 0)

    asyncio.run(run())


@LAW
@given(st.lists(st.integers(1, 4), max_size=30), st.integers(1, 5), st.integers(1, 12))
def test_a_window_lets_exactly_its_limit_pass_and_a_refusal_consumes_nothing(
    stack: Stack, users: list[int], limit: int, everyone: int
):
    async def run() -> None:
        store = Store(stack.store_url, timeout_s=2, breaker=Breaker(BreakerRules(failures=5, open_s=1.0)))
        await store.command("DEL", "w:all", *(f"w:{u}" for u in range(1, 5)))
        passed: dict[int, int] = {}
        for user in users:
            full, count, left_ms = await store.script(WINDOWS, (f"w:{user}", "w:all"), (60_000, limit, everyone))
            mine, all_of_us = passed.get(user, 0), sum(passed.values())
            assert full == (1 if mine >= limit else 2 if all_of_us >= everyone else 0)
            assert 0 < left_ms <= 60_000
            if not full:
                passed[user] = mine + 1
                assert count == mine + 1
        await store.close()

    asyncio.run(run())


class LosesAnAnswer(Database):
    """Does every statement, and fails at the answer of one."""

    def __init__(self, *arguments: object, number: int, error: type[Exception]) -> None:
        super().__init__(*arguments)
        self.left = number
        self.error = error

    async def _once(self, work: object) -> object:
        answer = await super()._once(work)
        self.left -= 1
        if self.left == -1:
            raise self.error
        return answer


class Heard:
    """A log and an audit log that count alerts by scope and level."""

    def __init__(self) -> None:
        self.lines: Counter[tuple[object, object]] = Counter()
        self.entries = 0
        self.figures: dict[tuple[object, object], tuple[object, object]] = {}

    def line(self, line: dict[str, object]) -> None:
        self.lines[line["scope"], line["level"]] += 1
        self.figures[line["scope"], line["level"]] = (line["spent_usd"], line["cap_usd"])

    def note(self, **_: object) -> None:
        self.entries += 1


def dies(_: dict[str, object]) -> None:
    raise SystemExit


CHOSEN = {"service_budget_usd": 1.0, "database_timeout_s": 3}
DUE = """
truncate budget, budget_alert;
insert into budget (scope, day, spent_nanousd) select 'user:' || n, (now() at time zone 'utc')::date, 900 from generate_series(1, 3) n
"""
WARNED = {(f"user:{number}", "warning"): 1 for number in range(1, 4)}
LONG_AGO = "update budget_alert set claimed_at = claimed_at - interval '1 hour' where claimed_at is not null"


@contextlib.asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Database]:
    await database.open()
    yield database
    await database.close()


def a_database(stack: Stack) -> Database:
    return make(stack)[0]


def looking(database: Database, heard: Heard, *, line: Callable[[dict[str, object]], None] | None = None) -> BudgetAlerts:
    return BudgetAlerts(database, Settings(**CHOSEN), heard, line or heard.line)


@pytest.mark.parametrize("error", [ConnectionResetError, TimeoutError], ids=["said again", "not said again"])
@pytest.mark.parametrize("number", range(8))
def test_an_alert_is_given_once_whichever_answer_of_the_database_is_lost(stack: Stack, number: int, error: type[Exception]):
    """A look with four alerts has six statements; the other two are the next look's."""

    async def run() -> None:
        heard = Heard()
        stack.sql(DUE)
        rules = Breaker(BreakerRules(failures=5, open_s=1.0))
        chosen = Settings(database_url=stack.database_url, **CHOSEN)
        async with opened(LosesAnAnswer(chosen, rules, number=number, error=error)) as database:
            alerts = looking(database, heard)
            alerts.refused("user:9", spent_nanousd=950, cap_nanousd=1000)
            for _ in range(3):
                with contextlib.suppress(StoreUnavailable):
                    await alerts.look()
        assert heard.lines == {**WARNED, ("user:9", "critical"): 1}
        assert heard.entries == 4

    asyncio.run(run())


def test_instances_that_look_at_once_give_each_alert_once(stack: Stack):
    async def run() -> None:
        heard = Heard()
        stack.sql(DUE)
        async with opened(a_database(stack)) as here, opened(a_database(stack)) as there:
            instances = [looking(database, heard) for database in (here, there, here, there)]
            for number in range(40):
                for instance in instances:
                    instance.refused(f"user:{number}", spent_nanousd=10, cap_nanousd=10)
            for _ in range(3):
                await asyncio.gather(*(instance.look() for instance in instances))
        assert heard.lines == {**WARNED, **{(f"user:{number}", "critical"): 1 for number in range(40)}}

    asyncio.run(run())


def test_what_another_is_claiming_at_this_moment_is_neither_waited_for_nor_given(stack: Stack):
    async def run() -> None:
        heard = Heard()
        stack.sql(DUE)
        async with opened(a_database(stack)) as here, opened(a_database(stack)) as there:
            with pytest.raises(SystemExit):
                await looking(here, heard, line=dies).look()
            stack.sql(LONG_AGO)

            async def claim(connection: Connection) -> None:
                claimed = await connection.fetch("select * from budget_alerts_claim('there', 10, 30, 0.8, 1000000000, null)")
                assert len(claimed) == 3
                assert await looking(here, heard).look() == 0

            await there.transaction(claim)
            assert await looking(here, heard).look() == 0

    asyncio.run(run())


def test_what_an_instance_claimed_and_died_over_another_gives_once_the_claim_ends(stack: Stack):
    async def run() -> None:
        heard = Heard()
        stack.sql(DUE)
        async with opened(a_database(stack)) as database:
            dead = looking(database, heard, line=dies)
            dead.refused("user:9", spent_nanousd=950, cap_nanousd=1000)
            with pytest.raises(SystemExit):
                await dead.look()
            other = looking(database, heard)
            assert await other.look() == 0
            stack.sql(LONG_AGO)
            assert [await other.look(), await other.look()] == [4, 0]
        assert heard.lines == {**WARNED, ("user:9", "critical"): 1}
        assert heard.figures["user:9", "critical"] == (950e-9, 1000e-9)  # which only the dead one was told

    asyncio.run(run())


def test_the_version_before_and_this_one_give_each_alert_once_between_them(stack: Stack):
    async def run() -> None:
        before = "select scope from budget_alerts(0.8, 1000000000, null)"
        heard = Heard()
        async with opened(a_database(stack)) as database:
            stack.sql(DUE)
            assert len(await database.rows(before)) == 3
            stack.sql(LONG_AGO)
            assert await looking(database, heard).look() == 0
            stack.sql(DUE)
            with pytest.raises(SystemExit):
                await looking(database, heard, line=dies).look()
            assert await database.rows(before) == []
            stack.sql(LONG_AGO)
            assert await looking(database, heard).look() == 3

    asyncio.run(run())


def test_alerts_from_before_the_migration_count_as_given(stack: Stack):
    async def run() -> None:
        texts = migrations()
        added = [name for name, _ in texts].index("0008_budget_alerts_given.sql")
        stack.sql("create database before")
        connection = await asyncpg.connect(stack.database_url.removesuffix("postgres") + "before")
        try:
            for _, text in texts[:added]:
                await connection.execute(text)
            await connection.execute(
                "insert into budget_alert (scope, day, level) values ('user:1', now() - interval '1 day', 'critical')"
            )
            await connection.execute(texts[added][1])
            assert await connection.fetch("select * from budget_alerts_claim('late', 10, 0, 0.8, 1, 1)") == []
        finally:
            await connection.close()

    asyncio.run(run())
