"""Clocks that are wrong, seen by users of the service and of the database, and true again after clearing."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from harness.errors import FaultError
from harness.faults import FaultInjector, Guardian
from harness.model.fault import Fault
from harness.model.target import Clock, Landscape, Needs
from harness.target.embedded import EmbeddedTarget
from harness.target.embedded.running import RunningEmbedded

HOUR, DAY = 3600, 86_400


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[RunningEmbedded]:
    target = EmbeddedTarget(
        state_directory=tmp_path_factory.mktemp("state"),
        service_settings={"SERVICE_RATE_LIMIT": "1000", "SERVICE_IDENTITY_CACHE_S": "0"},
    )
    with tempfile.TemporaryDirectory() as logs:
        running = target.start(Needs(principals=1, capped_principals={"poor": 0.15}), Path(logs))
        yield running
        running.stop()


@pytest.fixture
def injector(stack) -> Iterator[FaultInjector]:
    injector = FaultInjector(stack.landscape, lambda *_, **__: None)
    yield injector
    assert injector.clear_all() == []


def skew(at: str, offset: int) -> Fault:
    return Fault(id="skew", at=at, kind="clock_skew", phase="p", apply_ns=0, clear_ns=1, parameters={"offset": offset})


def ask(stack: RunningEmbedded, question: str, who: str | None = None, *, instance: str = "a") -> httpx.Response:
    key = stack.keys[who or next(name for name in stack.keys if name != "poor")]
    url = next(each.base_url for each in stack.instances if each.name == instance)
    body = {"model": "auto", "temperature": 0, "messages": [{"role": "user", "content": question}]}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=20)


def off_s(answer: httpx.Response) -> float:
    return parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()


def in_database(stack: RunningEmbedded, statement: str, *arguments: object) -> object:
    async def run() -> object:
        mine = stack.dependencies["dependencies.postgres"]
        host, _, port = mine.address.rpartition(":")
        connection = await asyncpg.connect(
            host=host, port=int(port), user=mine.user, database=mine.database, password=mine.password
        )
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_an_instance_whose_clock_is_ahead_takes_what_is_cached_for_too_old(stack, injector):
    question = "What is the refund policy for a broken lamp?"
    assert ask(stack, question).headers["x-gateway-cache"] == "miss"
    assert ask(stack, question).headers["x-gateway-cache"].startswith("hit")
    injector.apply(skew("clocks.service-a", 2 * HOUR))
    late = ask(stack, question)
    assert late.headers["x-gateway-cache"] == "miss", "kept for an hour, and two have passed by its clock"
    assert abs(off_s(late) - 2 * HOUR) < 30
    assert abs(late.json()["created"] - time.time() - 2 * HOUR) < 30
    assert abs(off_s(ask(stack, question, instance="b"))) < 30, "the other instance has a clock of its own"
    injector.clear("skew")
    assert abs(off_s(ask(stack, "And for a broken chair?"))) < 30


def test_a_database_in_tomorrow_begins_budgets_anew_and_lets_keys_expire(stack, injector):
    assert ask(stack, "What is left of my budget?", "poor").status_code == 200
    in_database(stack, "UPDATE budget SET spent_nanousd = 9e9 FROM account a WHERE scope = 'user:' || a.id AND a.name = 'poor'")
    assert ask(stack, "And now?", "poor").status_code == 402, "the day's budget is spent"
    digests = "SELECT count(*) FROM api_key WHERE expires_at > now() + interval '1 hour'"
    in_database(
        stack,
        "UPDATE api_key SET expires_at = now() + interval '12 hours' FROM account a WHERE a.id = account_id AND a.name <> 'poor'",
    )
    assert in_database(stack, digests) == 1
    injector.apply(skew("clocks.postgres", DAY))
    assert ask(stack, "Is it tomorrow?", "poor").status_code == 200, "a new day, a new budget: by sessions that were open before"
    assert ask(stack, "Am I still known?").status_code == 401, "the key has expired by that clock"
    injector.clear("skew")
    assert ask(stack, "Is it today?", "poor").status_code == 402
    assert ask(stack, "Am I known again?").status_code == 200
    assert in_database(stack, "SELECT count(*) FROM pg_namespace WHERE nspname = 'harness_clock'") == 0


def test_the_guardian_brings_the_true_time_back_when_the_harness_is_gone(stack, tmp_path):
    guardian = Guardian.start(tmp_path, lease_s=600)
    injector = FaultInjector(stack.landscape, lambda *_, **__: None, guardian=guardian)
    injector.apply(skew("clocks.service-b", -DAY))
    injector.apply(Fault(**{**as_parts(skew("clocks.postgres", DAY)), "id": "db"}))
    assert off_s(ask(stack, "What day is it?", instance="b")) < -DAY + 60
    steps = json.loads(guardian.undo_list.read_text())["steps"]
    assert steps["skew"][0]["text"] == "+0\n"
    assert guardian.stop() == []  # as if control had ended: it heals what it holds
    assert abs(off_s(ask(stack, "And now?", instance="b"))) < 30
    assert in_database(stack, "SELECT now() < clock_timestamp() + interval '1 hour'") is True
    assert injector.clear_all() == []


def as_parts(fault: Fault) -> dict[str, object]:
    return {name: getattr(fault, name) for name in ("at", "kind", "phase", "apply_ns", "clear_ns", "parameters")}


@pytest.mark.parametrize(
    ("seen_at", "told"),
    [("http://127.0.0.1:1/", "does not answer"), ("{provider}/health", "carry no Date|does not tell a time")],
)
def test_a_clock_that_nobody_can_see_is_not_moved(seen_at: str, told: str, stack, tmp_path):
    """The provider reads no such file: what it tells of its clock cannot confirm anything."""
    clock = Clock(file=tmp_path / "clock", seen_at=seen_at.format(provider=stack.provider_control_url))
    injector = FaultInjector(Landscape(links={}, clocks={"clocks.theirs": clock}), lambda *_, **__: None)
    with pytest.raises(FaultError, match=told):
        injector.apply(skew("clocks.theirs", DAY))
    assert injector.active() == ()
