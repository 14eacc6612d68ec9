"""What checks have done on the stack of containers, seen from outside where it can be; and what a planted defect makes of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from harness.errors import StackError
from harness.faults.resp import Store
from harness.model.probe import ACTIONS, Action
from harness.target.containers import ContainersTarget
from harness.target.containers.hands import ContainerHands
from harness.target.operating.actor import ReferenceActor
from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.windows import KEY

from .conftest import LIBRARIAN, Traffic


def doing(actor, does, principal=None, **arguments):
    return actor.act(Action(check_id="c", name="a", does=does, at_ns=0, principal=principal, arguments=arguments))


def asked(url, key, text="When is my parcel due?"):
    body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(f"{url}/v1/chat/completions", headers=headers, json=body, timeout=6.0, trust_env=False)


def instances(stack):
    return [each.base_url for each in stack.instances]


def within(seconds, happened):
    deadline = time.monotonic() + seconds
    while not (so := happened()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return so


@pytest.fixture
def planted(stack, tmp_path):
    """An actor of the same stack, whose operators' programs have a defect."""

    def of(defect):
        settings = {"SERVICE_DEFECT": defect, "SERVICE_UNDER_TEST": "yes"}
        database = stack.dependencies["dependencies.postgres"]
        url = f"postgresql://{database.user}:{database.password}@{database.address}/{database.database}"
        programs = OperatorPrograms(database_url=url, settings=settings, mask=stack.site.mask, directory=lambda: tmp_path)
        hands = ContainerHands(stack.site, replace(stack.rollout._parts, settings=settings), stack.rollout, programs)
        return ReferenceActor(hands, programs, keys=stack.keys, base_url=stack.base_url)

    return of


def test_everything_that_a_check_can_have_done_is_done_here_and_nothing_else(stack):
    offered = {name for name in ContainersTarget().offer().capabilities if name.startswith("actions.")}
    assert offered == {f"actions.{name}" for name in ACTIONS}
    with pytest.raises(StackError, match="the stack of containers cannot 'fly'; it can rotate-key, "):
        doing(stack.actor, "fly")


def test_an_instance_is_drained_and_started_again_and_its_death_is_on_purpose(stack):
    told = doing(stack.actor, "drain-instance", instance="b").told
    assert (told["instance"], told["exit_code"]) == ("service-b", 0)
    assert [each.name for each in stack.died()] == ["service-b"]
    assert stack.actor.ended_on_purpose() == {"service-b"}
    assert httpx.get(f"{stack.base_url}/live", trust_env=False).headers["x-gateway-instance"] == "a"
    with pytest.raises(StackError, match="service-b does not run"):
        doing(stack.actor, "drain-instance", instance="b")
    with pytest.raises(StackError, match="there is no instance 'service-c'; there are service-a, service-b"):
        doing(stack.actor, "drain-instance", instance="c")
    assert doing(stack.actor, "start-instance", instance="b").told["instance"] == "service-b"
    with pytest.raises(StackError, match="service-b runs already"):
        doing(stack.actor, "start-instance", instance="b")
    assert stack.died() == []
    assert stack.actor.ended_on_purpose() == frozenset()


def test_a_key_is_rotated_with_an_overlap_and_both_end_when_they_are_revoked(stack):
    name = "user-0200"
    old = stack.keys[name]
    assert {asked(url, old).status_code for url in instances(stack)} == {200}
    new = doing(stack.actor, "rotate-key", name, overlap_s="60").new_key
    assert new not in (None, old)
    assert [asked(url, key).status_code for url in instances(stack) for key in (old, new)] == [200] * 4
    assert doing(stack.actor, "revoke-key", name).told == {"keys": 2}
    # An instance remembers a key, and hears within a second that one was changed.
    assert within(10, lambda: {asked(url, key).status_code for url in instances(stack) for key in (old, new)} == {401})


def test_a_feature_is_on_at_every_instance_and_off_again(stack):
    def shown():
        answers = [asked(url, key) for url in instances(stack) for key in list(stack.keys.values())[210:212]]
        return [answer.headers.get("x-gateway-features") for answer in answers]

    assert shown() == [None] * 4
    doing(stack.actor, "set-feature", feature="enhanced-rag", share="1")
    assert shown() == ["enhanced-rag"] * 4
    doing(stack.actor, "kill-feature", feature="enhanced-rag")
    assert shown() == [None] * 4
    with pytest.raises(StackError, match="there is no flag teleport; known: enhanced-rag"):
        doing(stack.actor, "kill-feature", feature="teleport")


def test_the_window_of_all_users_is_filled_at_the_store_s_own_port(stack):
    arguments = {"limit": "1000000", "left": "2"}
    store = stack.dependencies["dependencies.redis"]
    try:
        with ThreadPoolExecutor(1) as pool:
            filling = pool.submit(doing, stack.actor, "fill-global-window", **arguments)
            time.sleep(0.3)
            assert asked(stack.base_url, stack.keys["user-0203"], "Hello!").status_code == 200
            told = filling.result().told
        assert (told["counted"], 55_000 < told["window_ms"] <= 60_000) == (1, True)
        statuses = [asked(url, stack.keys["user-0203"], "Hello!").status_code for url in instances(stack) * 2]
        assert statuses == [200, 200, 429, 429]
    finally:
        with Store(store.address, store.password) as connection:
            connection.call("DEL", KEY)


def test_knowledge_connections_and_code_are_those_of_the_stack(stack):
    document = {"id": "doc-1", "title": "Parcels", "body": "Parcels are due on the third day."}
    assert doing(stack.actor, "update-knowledge", LIBRARIAN, **document).told["status"] in (200, 201)
    with pytest.raises(StackError, match="the knowledge base refused the document with 403"):
        doing(stack.actor, "update-knowledge", "user-0201", **document)
    connections = doing(stack.actor, "count-connections").told
    assert {"instance_a", "instance_b"} <= connections.keys()
    assert all(number > 0 for number in connections.values())
    recorded = doing(stack.actor, "tell-recorded", "user-0201").told
    assert (recorded["escalations"], recorded["scores"], recorded["score_sum"]) == (0, 0, 0)
    assert doing(stack.actor, "scan-for-secrets").told["files"] > 100


def test_a_good_version_is_rolled_out_without_a_lost_request(stack):
    with Traffic(stack) as traffic:
        told = doing(stack.actor, "roll-out", version="next", defect="", watch_s="0.5", least="1", patience_s="30").told
    assert (told["exit_code"], told["percent"], told["steps"]) == (0, 100, 4), told
    assert set(traffic.statuses) == {200}
    assert stack.landscape.rollout.percent() == 0
    assert stack.died() == []
    assert {"rollout", "service-other"}.isdisjoint(stack.site.handles())


def test_a_bad_version_is_kept_by_a_program_that_only_says_it_took_it_back(stack, planted):
    bad = {"version": "bad", "defect": "done-missing", "watch_s": "0.5", "least": "100000", "patience_s": "0.5"}
    told = doing(planted("canary-sticks"), "roll-out", **bad).told
    assert (told["exit_code"], told["percent"], told["steps"]) == (3, 5, 1), told
    assert stack.landscape.rollout.percent() == 0


def test_a_backup_brings_back_what_was_there_and_a_planted_one_shows_a_secret(stack, planted):
    told = doing(stack.actor, "back-up", canary="heron0123").told
    assert (told["secrets_in_clear"], told["canary_in_clear"], told["outdated_kept"]) == (0, False, False), told
    doing(stack.actor, "revoke-key", "user-0202")
    assert within(10, lambda: asked(stack.base_url, stack.keys["user-0202"]).status_code == 401)
    assert doing(planted("backup-environment-in-clear"), "back-up").told["secrets_in_clear"] > 0
    assert doing(stack.actor, "restore").told["rows_account"] >= 300
    assert within(20, lambda: asked(stack.base_url, stack.keys["user-0202"]).status_code == 200)


def test_what_operators_ran_leaves_nothing_on_this_machine_and_no_key_in_a_log(stack):
    place = stack.workshop.directory()
    assert (place / "backups").is_dir()
    new = doing(stack.actor, "rotate-key", "user-0203", overlap_s="1").new_key
    for name in stack.site.handles():
        stack.site.keep_log(name)
    assert [path.name for path in stack.site.logs.iterdir() if new in path.read_text(encoding="utf-8")] == []
    stack.workshop.close()
    assert not place.exists()
    with pytest.raises(StackError, match="the stack of containers is ending"):
        doing(stack.actor, "rotate-key", "user-0203", overlap_s="1")
