"""Asynchronous messages: answered at once, delivered with one effect, paid at most once, whoever dies and whenever."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from forge import run
from killed_worker import STEPS
from service_stack import Instance, Process, Stack, direct, running_stack, wait_until
from webhook_sink import SECRET, Sink

QUESTION = "Explain step by step how the warranty for device 7 works; write to jane.roe@example.com."


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running_stack() as running:
        yield running


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def service(stack: Stack) -> Iterator[Instance]:
    with stack.instance(rate_limit="10000", identity_cache_s="0") as instance:
        yield instance


def settings_of(stack: Stack, sink: Sink, **more: str) -> dict[str, str]:
    told = {"webhook_url": sink.url, "webhook_secret": SECRET, "worker_lease_s": "1", "worker_poll_s": "0.05", **more}
    return stack.environment(**told)


def worker(stack: Stack, sink: Sink, **more: str) -> Process:
    return stack.program(["-m", "reference_service.worker"], settings_of(stack, sink, **more))


def post(service: Instance, key: dict[str, str], name: str, text: str = QUESTION) -> str:
    for _ in range(5):  # a guard whose store was slow closes, and says when to come again
        answer = service.client.post(
            "/message",
            headers={**key, "idempotency-key": name, "x-request-id": name},
            json={"messages": [{"role": "user", "content": text}]},
        )
        if answer.status_code != 503:
            break
        time.sleep(int(answer.headers["retry-after"]))
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "processing"
    return answer.json()["id"]


def paid(stack: Stack) -> Counter[str]:
    return Counter(c["request_id"] for c in direct.get(f"{stack.control}/calls").json())


def test_a_worker_killed_at_any_step_loses_nothing_pays_nothing_twice_and_has_one_effect(
    stack: Stack, service: Instance, sink: Sink
):
    key, ids, cut = stack.user(), [], set()
    direct.post(f"{stack.control}/reset")
    for step in STEPS:
        for when in ("before", "after"):
            ids.append(post(service, key, f"kill-{when}-{step}"))
            doomed = stack.program(["-m", "killed_worker", step, when], settings_of(stack, sink, worker_concurrency="1"))
            assert doomed.popen.wait(20) == -signal.SIGKILL, (step, when)
            cut |= {row[0] for row in stack.sql("select id from message where state = 'queued' and step = 'calling'")}
    last = worker(stack, sink)
    wait_until(lambda: set(sink.bodies) == set(ids), within_s=30, what="every delivery")
    wait_until(lambda: stack.sql("select count(*) from outbox where delivered_at is null") == [["0"]], what="the notes of it")
    assert last.stop() == 0
    assert set(sink.effects.values()) == {1}
    assert {name: len(b) for name, b in sink.bodies.items() if len(b) != 1} == {}
    assert {name: n for name, n in paid(stack).items() if n > 1} == {}
    assert sink.unsigned == 0
    states = {service.client.get(f"/message/{i}", headers=key).json()["status"] for i in ids}
    assert states == {"done"}
    # Whose worker died between the mark before its call and the answer's being saved, and no other, got the polite answer.
    canned = {i for i in ids if json.loads(next(iter(sink.bodies[i])))["answer"]["gateway"]["degraded"] == "canned"}
    assert canned == cut
    assert canned


def test_nothing_is_lost_when_the_database_and_the_store_die_under_way(stack: Stack, service: Instance, sink: Sink):
    key = stack.user()
    direct.post(f"{stack.control}/reset")
    at_work = worker(stack, sink)
    ids = [post(service, key, f"db-{i}") for i in range(12)]
    time.sleep(0.5)
    for name in ("postgres", "store"):
        victim: Process = getattr(stack, name)
        victim.popen.kill()
        victim.popen.wait()
        time.sleep(0.7)
        again(stack, name, victim)
    wait_until(lambda: set(sink.bodies) >= set(ids), within_s=40, what="every delivery")
    assert at_work.stop() == 0
    assert set(sink.effects.values()) == {1}
    assert {n: c for n, c in paid(stack).items() if c > 1} == {}
    late = post_until_taken(service, key, "db-late")
    assert late not in ids


def again(stack: Stack, name: str, victim: Process) -> None:
    def start() -> bool:
        user = "nobody" if name == "postgres" and os.geteuid() == 0 else None
        process = stack._spawn(
            list(map(str, victim.popen.args)), {"PATH": os.environ["PATH"], "LC_ALL": "C"}, stdout=None, user=user
        )
        setattr(stack, name, process)
        time.sleep(0.5)
        return process.popen.poll() is None

    wait_until(start, within_s=20, what=f"the return of {name}")


def post_until_taken(service: Instance, key: dict[str, str], name: str) -> str:
    taken: list[str] = []

    def once() -> bool:
        answer = service.client.post(
            "/message", headers={**key, "idempotency-key": name}, json={"messages": [{"role": "user", "content": "Hello!"}]}
        )
        assert answer.status_code in (202, 503)
        taken.extend([answer.json()["id"]] if answer.status_code == 202 else [])
        return bool(taken)

    wait_until(once, what="a 202")
    return taken[0]


def test_a_message_outlives_the_service_that_took_it(stack: Stack, sink: Sink):
    key = stack.user()
    with stack.instance(rate_limit="100") as doomed:
        name = post(doomed, key, "orphan")
        doomed.process.popen.kill()
        doomed.process.popen.wait()
    at_work = worker(stack, sink)
    wait_until(lambda: name in sink.bodies, what="the delivery")
    at_work.stop()


def test_a_receiver_that_refuses_gets_it_again_until_it_takes_it(stack: Stack, service: Instance, sink: Sink):
    sink.refuse = 2
    at_work = worker(stack, sink, webhook_timeout_s="0.2")
    name = post(service, stack.user(), "again", "Hello!")
    wait_until(lambda: name in sink.bodies, within_s=20, what="the delivery")
    assert sink.deliveries[name] == 3
    at_work.stop()


def state_of(stack: Stack, message: str) -> tuple[str, str]:
    [[state, step]] = stack.sql(f"select state, step from message where id = '{message}'")
    return state, step


def test_what_has_no_job_is_done_all_the_same(stack: Stack, service: Instance, sink: Sink):
    key = stack.user()
    ids = [post(service, key, f"no-job-{i}") for i in range(2)]
    assert stack.sql(f"select count(*) from pgqueuer where dedupe_key in ('answer:{ids[0]}', 'answer:{ids[1]}')") == [["2"]]
    stack.sql("delete from pgqueuer")  # as if a version that knows no jobs had taken them
    at_work = worker(stack, sink)
    wait_until(lambda: set(sink.bodies) >= set(ids), what="the deliveries")
    wait_until(lambda: stack.sql("select count(*) from pgqueuer") == [["0"]], what="the end of the jobs")
    stack.sql(f"update outbox set delivered_at = null, next_at = now() where message_id = '{ids[0]}'")
    wait_until(lambda: sink.deliveries[ids[0]] == 2, what="the delivery of what a worker before left behind")
    assert len(sink.bodies[ids[0]]) == 1
    assert at_work.stop() == 0


def test_a_message_that_a_worker_without_jobs_holds_is_left_to_it_until_its_lease_ends(
    stack: Stack, service: Instance, sink: Sink
):
    message = post(service, stack.user(), "held")
    stack.sql(
        "update message set holder = gen_random_uuid(), held_until = now() + interval '4 s', step = 'claimed', attempts = 1"
        f" where id = '{message}'"
    )
    at_work = worker(stack, sink)
    time.sleep(1.5)
    assert state_of(stack, message) == ("queued", "claimed")
    assert paid(stack)["held"] == 0
    wait_until(lambda: message in sink.bodies, what="the delivery")
    assert at_work.stop() == 0


def test_a_worker_that_takes_longer_than_the_lease_is_not_taken_for_dead(stack: Stack, service: Instance, sink: Sink):
    patient = {"worker_lease_s": "2", "first_content_timeout_s": "8", "deadline_s": "9"}
    workers = [worker(stack, sink, **patient) for _ in range(2)]
    time.sleep(3.2)  # only then does anybody dare to call a call cut
    slow = {"id": "slow", "endpoint": "primary", "kind": "slow_headers", "parameters": {"delay_ms": 3500}}
    direct.put(f"{stack.control}/faults", json=slow).raise_for_status()
    message = post(service, stack.user(), "slow")
    wait_until(lambda: message in sink.bodies, within_s=20, what="the delivery")
    direct.delete(f"{stack.control}/faults").raise_for_status()
    assert json.loads(next(iter(sink.bodies[message])))["answer"]["gateway"]["degraded"] != "canned"
    assert paid(stack)["slow"] == 1
    assert [each.stop() for each in workers] == [0, 0]


def test_an_idle_worker_is_woken_also_after_its_listening_connection_was_cut(stack: Stack, service: Instance, sink: Sink):
    at_work = worker(stack, sink, worker_poll_s="60", instance="sleeper")
    key, listening = stack.user(), "from pg_stat_activity where application_name = 'sleeper' and query ilike 'listen%'"
    for name in ("woken", "woken-again"):
        wait_until(lambda: stack.sql(f"select 1 {listening}") == [["1"]], what="listening")
        message = post(service, key, name)
        wait_until(lambda m=message: m in sink.bodies, within_s=20, what="the delivery")
        stack.sql(f"select pg_terminate_backend(pid) {listening}")
    assert at_work.stop() == 0


def test_messages_and_questions_to_people_are_sealed_at_rest_and_move_to_a_new_key(stack: Stack, sink: Sink):
    old, new = (run_sealing("new-key", {}).stdout.strip() for _ in range(2))
    key = stack.user()
    with stack.instance(encryption_keys=f"old:{old}") as service:
        at_work = worker(stack, sink, encryption_keys=f"old:{old}")
        name = post(service, key, "sealed")
        service.ask(key, "I want to talk to a human agent, I am jane.roe@example.com.")
        wait_until(lambda: service.client.get(f"/message/{name}", headers=key).json()["status"] == "done", what="the answer")
        before = service.client.get(f"/message/{name}", headers=key).json()
        at_work.stop()
    assert "jane" not in json.dumps(stack.sql("select * from message")) + json.dumps(stack.sql("select * from escalation"))
    assert stack.sql(
        "select count(*) from escalation where question_sealed is not null and position('jane'::bytea in question_sealed) = 0"
    ) == [["1"]]
    assert stack.sql(f"select count(*) from message where id = '{name}' and position('\\x6f6c64'::bytea in body_sealed) = 3") == [
        ["1"]
    ]
    derived = {"SERVICE_PROVIDER_KEY": "x"}
    assert derived  # rows of the other tests were sealed with the derived key, which `reseal` must be able to open too
    stack.sql(f"delete from message where id <> '{name}'")
    stack.sql("delete from escalation where position('\\x6f6c64'::bytea in question_sealed) <> 3")
    both = {"SERVICE_DATABASE_URL": stack.database_url, "SERVICE_ENCRYPTION_KEYS": f"new:{new},old:{old}"}
    with stack.instance(encryption_keys=f"new:{new},old:{old}") as service:
        assert json.loads(run_sealing("reseal", both).stdout)["rows"] == 3
        assert json.loads(run_sealing("status", both).stdout)["rows_by_key"] == {"new": 3}
        assert service.client.get(f"/message/{name}", headers=key).json() == before
    with stack.instance(encryption_keys=f"new:{new}") as service:
        assert service.client.get(f"/message/{name}", headers=key).json() == before
    with stack.instance(encryption_keys=f"old:{old}") as service:
        lost = service.client.get(f"/message/{name}", headers=key)
        assert (lost.status_code, lost.json()["error"]["type"]) == (503, "guard_unavailable")


def run_sealing(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    done = run(
        [sys.executable, "-m", "reference_service.sealing", command],
        env={"PATH": os.environ["PATH"], **environment},
        timeout_s=30,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("keys", ["short:YWJj", "nonsense", "a:%%%", "x:" + "A" * 43 + "=,x:" + "B" * 43 + "="])
def test_a_wrong_sealing_key_is_refused_at_the_start_and_not_shown(stack: Stack, keys: str):
    told = {"PATH": os.environ["PATH"], **stack.environment(encryption_keys=keys)}
    done = run([sys.executable, "-m", "reference_service.serve"], env=told, timeout_s=30)
    assert done.returncode == 2
    assert "SERVICE_ENCRYPTION_KEYS" in done.stderr
    assert "Traceback" not in done.stderr
    assert keys.partition(":")[2] not in done.stderr or ":" not in keys
