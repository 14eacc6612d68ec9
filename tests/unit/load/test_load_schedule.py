import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from load_plans import S, burst, plan

from harness.errors import LoadError
from harness.load.schedule import Schedule, build_schedule
from harness.load.wording import Wording, request_id_prefix
from harness.model.assignment import Assignment

KEYS = {f"user-{number:04d}": f"sk-{number}" for number in range(7)} | {"capped": "sk-capped"}


def asked(schedule: Schedule) -> dict[int, tuple[int, str, bool, str, str]]:
    """What each arrival is, by its number."""
    found = {}
    for index in range(len(schedule)):
        request = schedule.requests[schedule.request[index]]
        found[schedule.seq[index]] = (
            schedule.intended_ns[index],
            request.prompt,
            request.streamed,
            schedule.principals[schedule.principal[index]],
            schedule.phases[schedule.phase[index]],
        )
    return found


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**32))
def test_any_number_of_workers_asks_the_same(workers: int, seed: int) -> None:
    wanted = plan(rate_rps=5, bursts=(burst(),), seed=seed)
    parts = [asked(build_schedule(wanted, worker=worker, workers=workers)) for worker in range(workers)]
    together = {seq: what for part in parts for seq, what in part.items()}
    assert sum(map(len, parts)) == len(together) == 55
    assert together == asked(build_schedule(wanted))


def test_arrivals_are_in_the_order_of_their_moments_with_bursts_among_them() -> None:
    schedule = build_schedule(plan(bursts=(burst(count=3, at_ns=5 * S), burst(count=2, at_ns=S))))
    assert list(schedule.intended_ns) == sorted(schedule.intended_ns)
    assert sorted(schedule.seq) == list(range(1005))
    found = asked(schedule)
    assert [found[seq][0] for seq in range(1000, 1005)] == [5 * S] * 3 + [S] * 2
    assert {found[seq][3] for seq in range(1000, 1005)} == {"capped"}
    assert sum(schedule.of_burst) == 5


def test_an_arrival_belongs_to_the_phase_of_its_intended_start() -> None:
    found = asked(build_schedule(plan(rate_rps=2)))
    assert [what[4] for _, what in sorted(found.items())] == ["warm"] * 4 + ["steady"] * 16


def test_no_arrivals_but_a_burst_is_a_schedule() -> None:
    assert len(build_schedule(plan(rate_rps=0, bursts=(burst(),)))) == 5


@pytest.mark.parametrize(("worker", "workers"), [(1, 1), (-1, 2), (0, 0)])
def test_a_worker_that_does_not_exist_is_refused(worker: int, workers: int) -> None:
    with pytest.raises(ValueError, match="worker"):
        build_schedule(plan(), worker=worker, workers=workers)


def wording(schedule: Schedule, keys: dict[str, str]) -> Wording:
    assignment = Assignment(run_directory="", base_url="", keys=keys)
    return Wording(schedule, assignment, host="h:1", run_id="2026-run-Ab12Cd34")


def test_each_request_carries_its_number_key_and_id() -> None:
    schedule = build_schedule(plan(bursts=(burst(),)))
    words = wording(schedule, KEYS)
    seen = set()
    for index in range(len(schedule)):
        head, _, body = words.request(index).partition(b"\r\n\r\n")
        document, seq = json.loads(body), schedule.seq[index]
        request = schedule.requests[schedule.request[index]]
        assert document["messages"][0]["content"] == request.prompt.replace("{n}", str(seq))
        assert document.get("model") == request.user_class.model
        assert document.get("max_tokens") == request.user_class.max_tokens
        assert document["stream"] is request.streamed
        principal = schedule.principals[schedule.principal[index]]
        assert f"Authorization: Bearer {KEYS[principal]}\r\n".encode() in head + b"\r\n"
        assert f"x-request-id: Ab12Cd34-{seq}\r\n".encode() in head + b"\r\n"
        assert words.request_id(index) == f"Ab12Cd34-{seq}"
        seen.add(words.request_id(index))
    assert len(seen) == len(schedule)


def test_only_principals_that_are_used_need_a_key() -> None:
    one_arrival = build_schedule(plan(rate_rps=0.1))
    wording(one_arrival, {"user-0000": "k"})
    with pytest.raises(LoadError, match="user-0000"):
        wording(one_arrival, {"user-0001": "k"})


@pytest.mark.parametrize(
    ("run_id", "prefix"), [("abc", "abc-"), ("20261123-1015-a1b2c3d4", "a1b2c3d4-"), ("", "-"), ("é1", "1-")]
)
def test_request_ids_start_with_the_end_of_the_run_id(run_id: str, prefix: str) -> None:
    assert request_id_prefix(run_id) == prefix
