"""A description is read strictly, every mistake is told with its place, and no secret stands in it or leaks from it."""

from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.model.outcome import Refusal, Source
from harness.model.signals import Comparison, Where
from harness.target.description import is_target_file, read_description
from harness.target.external import ExternalTarget

COMPLETE = """\
name: my-gateway
base_url: http://127.0.0.1:4000
version: {header: x-version}
protocol: openai-chat
auth: {header: Authorization, value: "Bearer ${key}"}
principals: {alice: {key: "${env:KEY_A}"}, bob: {key: "${env:KEY_B}"}}
models: {normal: gpt-primary, cheap: gpt-small}
provider: {endpoints: {primary: {listen: auto}, secondary: {listen: auto}}}
links: {redis: {upstream: "127.0.0.1:6379"}, queue: {toxiproxy: "http://127.0.0.1:8474", proxy: queue}}
start: {command: [run], env: {URL: "${provider.primary.url}/v1", REDIS: "${links.redis.address}"}, ready: {get: /health, within: 60s}}
processes: {redis: {pid_file: x}}
signals: {fallback: {header: x-gateway-fallback, above: 0}, cache: {header: x-cache, equals: HIT}, cost: {header: x-cost},
  degraded: {json: $.degraded, equals: true}, source: [{is: canned, when: {header: x-by, equals: canned}}]}
refusals: {budget: [{status: [402]}, {status: [400, 429], json: $.error.type, equals: budget_exceeded}], shed: [{status: [503], header: retry-after}]}
budget: {principal: alice, cap_usd: 0.15, period: day, reset: {post: /reset}, prices: {gpt-primary: {input_usd_per_mtok: 1000, output_usd_per_mtok: 1000}}}
correlate: [{header: x-request-id}, {prompt_tag: true, but_not: [cache]}]
instances: [{name: a, base_url: "http://127.0.0.1:4001", metrics: /metrics, live: /live, ready: /ready, log: {file: a.log}}]
faults: {redis-failover: {apply: [a], confirm: [b], clear: [c], prove: [d], within: 5s, lease: 60s}}
limits: {rate_rps: 50, concurrency: 100, requests: 100000, spend_usd: 5, faults: [provider.*, links.*]}
"""
LEAST = 'name: least\nbase_url: http://127.0.0.1:4000\nprincipals: {a: {key: "${env:K}"}}\n'


def _read(tmp_path: Path, text: str) -> ExternalTarget:
    path = tmp_path / "target.yaml"
    path.write_text(text)
    return ExternalTarget(read_description(path))


def _problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        _read(tmp_path, text)
    return str(caught.value).replace(str(tmp_path) + "/", "")


def test_a_complete_description_offers_what_it_says_without_a_secret_at_hand(tmp_path: Path) -> None:
    offer = _read(tmp_path, COMPLETE).offer()
    assert offer.reference.kind == "external"
    assert offer.places == {
        "provider.primary", "provider.secondary", "links.redis", "links.queue", "processes.redis", "processes.service",
        "commands.redis-failover",
    }  # fmt: skip
    assert offer.model == "gpt-primary"
    assert offer.prompt_tag
    assert offer.freeze_only == {"processes.redis"}
    assert not offer.capped_principals
    assert offer.limits is not None
    assert offer.limits.faults == ("provider.*", "links.*")


def test_signals_and_refusals_keep_their_order_and_tests(tmp_path: Path) -> None:
    signals = _read(tmp_path, COMPLETE).offer().signals
    assert signals.fallback is not None
    assert (signals.fallback.comparison, signals.fallback.value) == (Comparison.ABOVE, 0)
    assert signals.degraded is not None
    assert (signals.degraded.where, signals.degraded.key, signals.degraded.value) == (Where.JSON, "$.degraded", True)
    assert [source for source, _ in signals.sources] == [Source.CANNED]
    assert [(refusal, rule.status) for refusal, rule in signals.refusals] == [
        (Refusal.BUDGET, (402,)),
        (Refusal.BUDGET, (400, 429)),
    ]
    assert signals.shed[0].predicate is not None


def test_the_least_description_is_three_lines(tmp_path: Path) -> None:
    offer = _read(tmp_path, LEAST).offer()
    assert offer.places == set()
    assert offer.missing["provider.primary"] == "provider.endpoints.primary"
    assert offer.missing["processes.service"] == "start"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("signals:", "signal:"), "target.yaml:12:9: unknown key 'signal' in the document; allowed: "),
        (("signals:", "signal:"), "(did you mean 'signals'?)"),
        (('"${env:KEY_B}"', "sk-plain-text"), "a key does not stand in a description; write ${env:NAME} or ${file:PATH}"),
        (("primary.url", "primari.url"), "did you mean 'provider.primary.url'?"),
        (('"127.0.0.1:6379"', "6379"), "write HOST:PORT in quotes"),
        (("http://127.0.0.1:4000", "https://127.0.0.1:4000"), "put a proxy on loopback that ends TLS before it"),
        (("http://127.0.0.1:4000", "http://k:s@127.0.0.1:4000"), "a base URL has no user"),
        (
            ("principal: alice", "principal: alise"),
            "no principal is called 'alise'; there are alice, bob (did you mean 'alice'?)",
        ),
        (("above: 0", "above: 0, equals: 1"), "a signal has one test"),
        (("{header: x-cost}", "{log: cost}"), "a cost's `log` needs a group around the figure"),
        (("{header: x-cost}", "{log: '('}"), "is no regular expression"),
        (("{header: x-cost}", "{metric: cost_total, above: 0}"), "are counted, not tested: leave out `above`"),
        (("{header: x-cost}", "{metric: 'cost total'}"), "is no number, no function of a metric"),
        (("{header: x-by, equals: canned}", "{log: canned}"), "tell of a whole run and of no single answer"),
        (("{header: x-cost}", "{json: degraded}"), "is no JSON path; write $.error.code"),
        (("equals: HIT", 'matches: "("'), "is no regular expression"),
        (("status: [402]", "status: [42]"), "refusals.budget[0].status[0]"),
        (("pid_file: x", "pid_file: x, command: [y]"), "one of `pid_file`, `command`, which prints its pid, `unit`"),
        (("pid_file: x", "container: redis, start: [y]"), "its engine starts a container again: leave `start` out"),
        (("pid_file: x", "container: ../json"), "processes.redis.container"),
        (("pid_file: x", "unit: --now"), "processes.redis.unit"),
        (("confirm: [b]", "confirmed: [b]"), "did you mean 'confirm'?"),
        (("clear: [c]", "clear: []"), "faults.redis-failover.clear"),
        (("lease: 60s", "lease: 12s"), "a `lease` below that cannot be kept"),
        (("apply: [a]", 'apply: [a, "${env:KEY_A}"]'), "a secret would stand in the process list, and on the undo list on disk"),
        (("proxy: queue", "listen: auto"), "`toxiproxy` and `proxy` belong together"),
        (("normal: gpt-primary", "usual: gpt-primary"), "`models` needs the key `normal`"),
        (("start: {command: [run]", "start: {comand: [run]"), "did you mean 'command'?"),
        (("start: {command: [run],", "start: {"), "say how it is started: `command: [...]`, `image: NAME` or `compose: FILE`"),
        (
            ("start: {command: [run],", "start: {image: a/b, compose: c.yaml,"),
            "by an `image` or by a `compose` file, not by both",
        ),
        (("start: {command: [run],", "start: {command: [run], compose: c.yaml,"), "leave `command` out"),
        (("start: {command: [run],", "start: {image: a/b, directory: x,"), "an image has its own working directory"),
        (("start: {command: [run],", "start: {image: '--privileged',"), "start.image"),
        (
            ("start: {command: [run], env: {", 'start: {compose: c.yaml, env: {Q: "${links.queue.address}", '),
            "${links.queue.address} is known once the compose file is up",
        ),
        (("limits:", "canaries: true\nlimits:"), "without `refusals.guard` every refusal would be an error"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_was_meant(tmp_path: Path, change: tuple[str, str], sentence: str) -> None:
    text = COMPLETE.replace(*change)
    assert text != COMPLETE
    told = _problems(tmp_path, text)
    assert sentence in told
    assert told.startswith("target.yaml:")
    assert "sk-plain-text" not in told


@pytest.mark.parametrize(
    ("start", "offered", "not_offered"),
    [
        ("{command: [run]}", {"processes.service"}, {"containers.service"}),
        ("{image: my/gateway:1}", {"processes.service", "containers.service"}, set()),
        ("{compose: stack.yaml}", {"processes.redis", "containers.redis"}, {"processes.service", "containers.service"}),
    ],
)
def test_what_can_be_broken_depends_on_how_it_is_started(
    tmp_path: Path, start: str, offered: set[str], not_offered: set[str]
) -> None:
    offer = _read(tmp_path, LEAST + f"start: {start}\nprocesses: {{redis: {{container: redis}}}}\n").offer()
    assert offered <= offer.places
    assert not not_offered & offer.places


def test_what_is_told_over_the_run_is_no_signal_of_an_answer_and_needs_a_place_to_be_told(tmp_path: Path) -> None:
    told = LEAST + 'signals: {fallback: {log: "falling back"}, cost: {metric: "cost_total{kind=\\"chat\\"}"}}\n'
    place = "instances: [{name: a, base_url: http://127.0.0.1:1, metrics: /metrics, log: {file: a.log}}]\n"
    signals = _read(tmp_path, told + place).offer().signals
    assert (signals.fallback, signals.cost) == (None, None)
    assert {name: part.where for name, part in signals.over_the_run.items()} == {"fallback": Where.LOG, "cost": Where.METRIC}
    assert signals.over_the_run["cost"].key == 'cost_total{kind="chat"}'
    problems = _problems(tmp_path, told)
    assert "no log is read of a target that runs already: add `instances: [{..., log: {file: PATH}}]`" in problems
    assert "nobody says where metrics are: add `instances: [{..., metrics: /metrics}]`" in problems


def test_an_address_off_this_machine_needs_limits(tmp_path: Path) -> None:
    told = _problems(tmp_path, LEAST.replace("127.0.0.1", "203.0.113.7"))
    assert "203.0.113.7 is not this machine: `limits` must say rate_rps, concurrency, requests" in told


def test_a_running_target_cannot_be_told_where_to_find_a_link(tmp_path: Path) -> None:
    told = _problems(tmp_path, LEAST + "provider: {endpoints: {primary: {listen: auto}}}\n")
    assert "write the HOST:PORT that it calls, or add `start`" in told


def test_a_key_placeholder_is_known_where_one_is_shown(tmp_path: Path) -> None:
    assert "${key} is known below `auth, actions` only" in _problems(tmp_path, LEAST + 'chat_path: "/v1/${key}"\n')


def test_nobody_with_a_key_is_a_mistake(tmp_path: Path) -> None:
    assert "nobody has a key" in _problems(tmp_path, "name: least\nbase_url: http://127.0.0.1:4000\n")


def test_a_target_file_is_told_from_a_scenario(tmp_path: Path) -> None:
    target, scenario = tmp_path / "t.yaml", tmp_path / "s.yaml"
    target.write_text(LEAST)
    scenario.write_text("name: x\nphases: []\n")
    assert is_target_file(target)
    assert not is_target_file(scenario)
    assert not is_target_file(tmp_path / "absent.yaml")


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[3].glob("examples/targets/*/target*.yaml")), ids=str)
def test_every_example_reads_and_is_below_forty_lines_of_its_own(path: Path) -> None:
    read_description(path)
    if path.parent.name != "reference":
        assert len(path.read_text().splitlines()) < 40


REAL = """\
name: real
base_url: http://127.0.0.1:4000
start: {command: [run], env: {KEY: "${provider.key}"}}
provider: {endpoints: {primary: {upstream: {url: "https://models.test/v1", key: "${env:K}"}}}}
auth: {value: none}
budget: {prices: {gpt: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}}
limits: {spend_usd: 1}
"""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("limits: {spend_usd: 1}\n", ""), "say in `limits.spend_usd` how much of it"),
        (("budget: {prices: {gpt: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}}\n", ""), "without `budget.prices`"),
        (('start: {command: [run], env: {KEY: "${provider.key}"}}\n', ""), "write the one it shows into `provider.key`"),
        (('"${env:K}"', "sk-plain-text"), "a key does not stand in a description"),
        (("https:", "ftp:"), "is no base URL of a provider; write https://HOST/v1"),
    ],
)
def test_a_real_provider_is_not_asked_before_its_price_its_cap_and_its_key_are_said(
    tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    assert _read(tmp_path, REAL).offer().relayed == {"provider.primary"}
    told = _problems(tmp_path, REAL.replace(*change))
    assert sentence in told
    assert "sk-plain-text" not in told
