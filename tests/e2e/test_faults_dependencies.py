"""Faults of the store and the database, seen by a client of our own and gone after clearing."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
import redis as redis_library

from harness.errors import FaultError
from harness.faults import FaultInjector, Guardian
from harness.faults.guardian.leftovers import heal_leftovers
from harness.model.fault import Fault
from harness.model.journal import Event
from harness.model.target import Dependency, Landscape, Needs
from harness.target.embedded import EmbeddedTarget
from harness.target.embedded.running import RunningEmbedded


class Journal:
    def __init__(self) -> None:
        self.entries: list[tuple[Event, dict]] = []

    def record(self, event: Event, subject: str, /, **data) -> None:
        self.entries.append((event, data))

    def acted(self) -> int | None:
        return next(data["count"] for event, data in reversed(self.entries) if event is Event.FAULT_ACTED)


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[RunningEmbedded]:
    target = EmbeddedTarget(state_directory=tmp_path_factory.mktemp("state"))
    with tempfile.TemporaryDirectory() as logs:
        running = target.start(Needs(principals=1), Path(logs))
        yield running
        running.stop()


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def injector(stack, journal) -> Iterator[FaultInjector]:
    injector = FaultInjector(stack.landscape, journal.record)
    yield injector
    assert injector.clear_all() == []


def fault(kind: str, at: str, **parameters) -> Fault:
    return Fault(id=f"f-{kind}", at=at, kind=kind, phase="p", apply_ns=0, clear_ns=1, parameters=parameters)


@pytest.fixture
def store(stack) -> Iterator[redis_library.Redis]:
    """A client as the service is one: through the link."""
    host, _, port = stack.links["links.redis"].listen.rpartition(":")
    password = stack.dependencies["dependencies.redis"].password
    with redis_library.Redis(host=host, port=int(port), password=password, socket_timeout=2) as client:
        yield client


def in_database(stack: RunningEmbedded, *statements: str, within_s: float = 3.0) -> object:
    """Return what the last statement says, on a new connection through the link."""

    async def ask() -> object:
        host, _, port = stack.links["links.postgres"].listen.rpartition(":")
        mine = stack.dependencies["dependencies.postgres"]
        connection = await asyncpg.connect(
            host=host, port=int(port), user=mine.user, database=mine.database, password=mine.password, timeout=within_s
        )
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return await asyncio.wait_for(connection.fetchval(statements[-1]), within_s)
        finally:
            connection.terminate()

    return asyncio.run(ask())


def ask(connection) -> object:
    connection.send_command("GET", "kept")
    return connection.read_response()


# -- the store ------------------------------------------------------------------------------------------------------


def test_a_read_only_store_serves_reads_and_refuses_writes(stack, store, injector, journal):
    store.set("kept", "yes")
    injector.apply(fault("read_only", "dependencies.redis"))
    for _ in range(3):
        with pytest.raises(redis_library.ReadOnlyError):
            store.set("kept", "no")
    assert store.get("kept") == b"yes"
    injector.clear("f-read_only")
    assert store.set("kept", "again")
    assert journal.acted() >= 3


def test_a_store_in_a_failover_cuts_its_clients_and_serves_nothing_and_keeps_its_data(stack, store, injector, journal):
    store.set("kept", "yes")
    old = store.connection_pool.get_connection()
    old.send_command("PING")
    assert old.read_response() == b"PONG"
    injector.apply(fault("failover", "dependencies.redis"))
    with pytest.raises((redis_library.ConnectionError, OSError)):
        ask(old)
    with pytest.raises(redis_library.ResponseError, match="Link with MASTER is down"):
        store.execute_command("GET", "kept")
    injector.clear("f-failover")
    assert store.get("kept") == b"yes"
    assert store.set("kept", "again")
    assert journal.acted() >= 2


def test_a_store_without_memory_refuses_what_grows_it(stack, store, injector, journal):
    store.set("kept", "yes")
    before = store.config_get("maxmemory*")
    injector.apply(fault("out_of_memory", "dependencies.redis"))
    with pytest.raises(redis_library.OutOfMemoryError):
        store.set("more", "no")
    assert store.get("kept") == b"yes"
    injector.clear("f-out_of_memory")
    assert store.set("more", "yes")
    assert store.config_get("maxmemory*") == before
    assert journal.acted() >= 1


def test_a_flushed_store_has_forgotten_everything(stack, store, injector, journal):
    for number in range(7):
        store.set(f"key-{number}", "x")
    injector.apply(fault("flush", "dependencies.redis"))
    assert store.get("key-3") is None
    injector.clear("f-flush")
    assert journal.acted() >= 7
    assert store.set("key-3", "y")


def test_a_fault_at_a_store_that_nobody_used_is_told_as_never_acted(stack, injector, journal):
    lonely = [link for link in stack.links.values() if link.name == "links.redis"]
    assert lonely
    down = fault("down", "links.redis")  # nobody gets through to the store
    injector.apply(down)
    time.sleep(0.2)
    injector.apply(fault("out_of_memory", "dependencies.redis"))
    injector.clear("f-out_of_memory")
    assert journal.acted() == 0
    injector.clear(down.id)


# -- the database ---------------------------------------------------------------------------------------------------


def test_a_read_only_database_serves_reads_and_refuses_writes(stack, injector, journal):
    in_database(stack, "CREATE TABLE IF NOT EXISTS notes (text text)", "SELECT 1")
    injector.apply(fault("read_only", "dependencies.postgres"))
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        in_database(stack, "INSERT INTO notes VALUES ('no') RETURNING 1")
    assert in_database(stack, "SELECT count(*) FROM notes") == 0
    injector.clear("f-read_only")
    assert in_database(stack, "INSERT INTO notes VALUES ('yes') RETURNING 1") == 1
    assert journal.acted() >= 1
    in_database(stack, "DROP TABLE notes", "SELECT 1")


def test_a_lock_that_is_held_keeps_others_waiting(stack, injector, journal):
    in_database(stack, "CREATE TABLE IF NOT EXISTS shelf (n int)", "SELECT 1")
    injector.apply(fault("lock", "dependencies.postgres", table="shelf"))
    with pytest.raises(TimeoutError):
        in_database(stack, "SELECT count(*) FROM shelf", within_s=0.5)
    assert in_database(stack, "SELECT 1") == 1, "who needs something else is not kept"
    injector.clear("f-lock")
    assert in_database(stack, "SELECT count(*) FROM shelf") == 0
    assert journal.acted() == 1
    in_database(stack, "DROP TABLE shelf", "SELECT 1")


def test_a_lock_on_a_table_that_is_not_there_names_those_that_are(stack, injector):
    in_database(stack, "CREATE TABLE IF NOT EXISTS shelf (n int)", "SELECT 1")
    with pytest.raises(FaultError, match=r"has no table 'shelff'; .*did you mean 'shelf'"):
        injector.apply(fault("lock", "dependencies.postgres", table="shelff"))
    assert injector.active() == ()


def test_a_database_without_connections_refuses_new_ones_and_cuts_old_ones(stack, injector, journal):
    injector.apply(fault("connections_exhausted", "dependencies.postgres"))
    with pytest.raises((asyncpg.TooManyConnectionsError, asyncpg.PostgresConnectionError, OSError)):
        in_database(stack, "SELECT 1")
    injector.clear("f-connections_exhausted")
    assert in_database(stack, "SELECT 1") == 1
    assert journal.acted() >= 1


def test_a_database_that_allows_more_than_may_be_opened_is_left_alone(stack, injector):
    with pytest.raises(FaultError, match="allows 100 connections; at_most is 20"):
        injector.apply(fault("connections_exhausted", "dependencies.postgres", at_most=20))
    assert in_database(stack, "SELECT 1") == 1


def test_a_database_on_a_slow_disk_lets_writers_wait_and_readers_not(stack, injector, journal):
    in_database(stack, "CREATE TABLE IF NOT EXISTS notes (text text)", "SELECT 1")

    def commits_s() -> float:
        began = time.monotonic()
        in_database(stack, *["INSERT INTO notes VALUES ('x')"] * 5, "SELECT 1")
        return time.monotonic() - began

    before = in_database(stack, "SHOW fsync"), in_database(stack, "SHOW commit_delay"), in_database(stack, "SHOW commit_siblings")
    injector.apply(fault("slow_disk", "dependencies.postgres", flush=100))
    assert commits_s() >= 0.5
    assert in_database(stack, "SELECT count(*) FROM notes", within_s=3.0) == 5
    injector.clear("f-slow_disk")
    assert min(commits_s() for _ in range(5)) < 0.5
    assert journal.acted() >= 5
    after = in_database(stack, "SHOW fsync"), in_database(stack, "SHOW commit_delay"), in_database(stack, "SHOW commit_siblings")
    assert after == before
    in_database(stack, "DROP TABLE notes", "SELECT 1")


# -- whatever is killed ---------------------------------------------------------------------------------------------


def test_the_guardian_restores_settings_and_keeps_no_password_on_the_disk(stack, store, tmp_path):
    guardian = Guardian.start(tmp_path, lease_s=600)
    injector = FaultInjector(stack.landscape, lambda *_, **__: None, guardian=guardian)
    injector.apply(fault("read_only", "dependencies.redis"))
    injector.apply(Fault(id="db", at="dependencies.postgres", kind="read_only", phase="p", apply_ns=0, clear_ns=1))
    undo_list = guardian.undo_list.read_text()
    steps = json.loads(undo_list)["steps"]
    assert steps["f-read_only"][0]["commands"] == [["REPLICAOF", "NO", "ONE"]]
    for dependency in stack.dependencies.values():
        assert dependency.password not in undo_list
        assert dependency.password not in repr(dependency)
    with pytest.raises(redis_library.ReadOnlyError):
        store.set("x", "1")
    assert guardian.stop() == []  # as if control had ended: it heals what it holds
    assert store.set("x", "1")
    in_database(stack, "CREATE TABLE IF NOT EXISTS after (n int)", "SELECT 1")
    assert injector.clear_all() == []


def test_a_list_without_its_guardian_says_what_a_person_does(stack, store, tmp_path):
    guardian = Guardian.start(tmp_path, lease_s=600)
    injector = FaultInjector(stack.landscape, lambda *_, **__: None, guardian=guardian)
    injector.apply(fault("read_only", "dependencies.redis"))
    guardian._process.kill()
    guardian._process.wait()
    (told,) = heal_leftovers(tmp_path)
    assert "REPLICAOF NO ONE" in told
    assert "by hand" in told
    assert injector.clear_all() == []
    assert store.set("x", "1")


def test_a_server_ends_what_is_held_when_nobody_renews(stack, journal):
    in_database(stack, "CREATE TABLE IF NOT EXISTS shelf (n int)", "SELECT 1")
    injector = FaultInjector(stack.landscape, journal.record, lease_s=0.6)
    injector.apply(fault("lock", "dependencies.postgres", table="shelf"))
    time.sleep(1.5)
    with pytest.raises(TimeoutError):
        in_database(stack, "SELECT count(*) FROM shelf", within_s=0.3)  # renewed while control lives
    assert injector._leases is not None
    injector._leases.stop()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            assert in_database(stack, "SELECT count(*) FROM shelf", within_s=0.3) == 0
            break
    else:
        pytest.fail("the lock outlived its lease")
    assert injector.clear_all() == []
    assert any(event is Event.FAULT_FAILED and data["step"] == "hold" for event, data in journal.entries)


def test_a_dependency_that_is_not_there_is_told(journal):
    nowhere = Dependency(name="redis", kind="redis", address="127.0.0.1:1")
    injector = FaultInjector(Landscape(links={}, dependencies={"dependencies.redis": nowhere}), journal.record)
    with pytest.raises(FaultError, match=r"127.0.0.1:1 cannot be reached"):
        injector.apply(fault("flush", "dependencies.redis"))
    assert injector.active() == ()
