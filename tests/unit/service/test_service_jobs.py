"""How the queue library is used: with the tables of the migrations, bounded, patient, and never trusted with more than a hand-over."""

import asyncio
import logging
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from pgqueuer.adapters.persistence.schema_ddl import provenance, render_install
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JobId

from reference_service import job_driver
from reference_service.errors import StoreUnavailable
from reference_service.job_driver import PoolDriver
from reference_service.job_hands import LONGEST_S, JobHands
from reference_service.jobs import NAMES, LogLines, jobs_through, put

SOME = uuid.UUID(int=7)


def test_the_migration_is_what_the_library_asks_for():
    kept = (files("reference_service") / "migrations" / "0007_jobs.sql").read_text(encoding="utf-8")
    wanted = render_install(NAMES).removeprefix(provenance(NAMES))
    assert kept.rstrip().endswith(wanted.strip()), (
        "the library asks for other tables: write a further migration, and hold both to it"
    )


def test_no_environment_variable_names_the_tables(monkeypatch: pytest.MonkeyPatch):
    told = NAMES.model_fields_set
    assert told == set(DBSettings.model_fields)
    for name in ("FUNCTION", "QUEUE_TABLE", "PGQUEUER_PREFIX", "PGQUEUER_SCHEMA", "CHANNEL", "DURABILITY"):
        monkeypatch.setenv(name, "volatile")
    assert DBSettings(**NAMES.model_dump()) == NAMES


@dataclass
class Away:
    """A database that does not answer the first times."""

    times: int
    answer: list[dict[str, object]] = field(default_factory=lambda: [{"n": 1}])
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def rows(self, sql: str, *arguments: object) -> list[dict[str, object]]:
        self.asked.append((sql, *arguments))
        if len(self.asked) <= self.times:
            raise StoreUnavailable("postgres", "away")
        return self.answer


def driver_of(database: Any, *, stopping: bool = False, last_s: float = 0.0) -> tuple[PoolDriver, list[str]]:
    away: list[str] = []
    event = asyncio.Event()
    if stopping:
        event.set()
    return PoolDriver(database, stopping=event, last_s=last_s, away=lambda: away.append("away")), away


def test_a_statement_waits_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(job_driver, "AGAIN_AFTER_S", 0.0)

    async def ask() -> tuple[list[dict[str, object]], list[str]]:
        driver, away = driver_of(Away(3))
        return await driver.fetch("select 1"), away

    assert asyncio.run(ask()) == ([{"n": 1}], ["away"] * 3)


def test_at_the_end_of_the_worker_nothing_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(job_driver, "AGAIN_AFTER_S", 0.0)

    async def ask() -> None:
        driver, _ = driver_of(Away(10**9), stopping=True)
        await driver.fetch("select 1")

    with pytest.raises(StoreUnavailable):
        asyncio.run(asyncio.wait_for(ask(), 5))


def test_a_job_says_which_message_and_nothing_of_it_and_is_the_only_one_of_its_kind():
    async def send() -> list[tuple[object, ...]]:
        database = Away(0, answer=[])
        driver, _ = driver_of(database)
        await put(jobs_through(driver), "answer", [SOME])
        return database.asked

    [(sql, priority, kind, payload, after, key, headers)] = asyncio.run(send())
    assert (priority, kind, payload, after, key, headers) == (
        [0],
        ["answer"],
        [SOME.bytes],
        [timedelta(0)],
        [f"answer:{SOME}"],
        ["null"],
    )
    assert "ON CONFLICT (dedupe_key)" in str(sql)


def job(attempts: int = 0) -> Job:
    now = datetime.now(UTC)
    return Job.model_validate(
        {
            "id": 1, "priority": 0, "created": now, "updated": now, "heartbeat": now, "execute_after": now, "status": "picked",
            "entrypoint": "answer", "payload": SOME.bytes, "attempts": attempts, "queue_manager_id": uuid.uuid4(), "headers": None,
        }
    )  # fmt: skip


def done(ends: float | Exception | None, attempts: int = 0) -> tuple[timedelta | None, list[dict[str, object]]]:
    lines: list[dict[str, object]] = []

    async def work(message_id: uuid.UUID) -> float | None:
        assert message_id == SOME
        if isinstance(ends, Exception):
            raise ends
        return ends

    async def one() -> timedelta | None:
        hands = JobHands("answer", work, at_once=1, silent_s=1.0, poll_s=1.0, write_log=lines.append)
        try:
            await hands.one(job(attempts))
        except RetryRequested as asked:
            kept.append(TracebackRecord.from_exception(asked, JobId(1)).model_dump_json())
            return asked.delay
        return None

    kept: list[str] = []
    again = asyncio.run(one())
    assert "jane" not in "".join(kept), "the library keeps the text of what went wrong"
    return again, lines


def test_a_job_is_at_its_end_only_when_nothing_is_left_to_do():
    assert done(None) == (None, [])
    assert done(2.5) == (timedelta(seconds=2.5), [])
    assert done(-1.0) == (timedelta(0), [])


def test_a_job_whose_database_is_away_comes_again_soon():
    assert [done(StoreUnavailable("postgres", "away"), n)[0] for n in (0, 2, 99)] == [
        timedelta(seconds=s) for s in (0.1, 0.4, 1.0)
    ]


def test_a_fault_of_ours_is_said_without_its_text_and_tried_again_ever_later():
    again, lines = done(ValueError("jane.roe@example.com"), 1)
    assert again == timedelta(seconds=1.0)
    assert lines == [{"event": "job_failed", "kind": "answer", "message_id": str(SOME), "error": "ValueError"}]
    assert done(ValueError("x"), 99)[0] == timedelta(seconds=LONGEST_S)


def test_what_the_library_says_is_a_line_without_the_texts_it_was_given():
    lines: list[dict[str, object]] = []
    logger = logging.Logger("library")
    logger.addHandler(LogLines(lines.append))
    logger.info("not worth a line")
    try:
        raise ValueError("jane.roe@example.com")
    except ValueError:
        logger.exception("Exception while processing: %s", "jane.roe@example.com")
    assert lines == [
        {"event": "queue_library", "level": "error", "reason": "Exception while processing: %s", "error": "ValueError"}
    ]
