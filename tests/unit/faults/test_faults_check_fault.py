"""What is wrong with a fault is said before anything runs."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness.model.fault_kinds
from harness.faultproxy.toxics import TOXICS
from harness.model.fault import Fault, Layer
from harness.model.fault_kinds import FAULT_KINDS, check_fault, complete, contradiction
from harness.model.fault_kinds.provider import TRIGGERS, split_trigger
from harness.model.fault_kinds.requests import REQUEST_TRIGGERS, split_requests
from harness.provider.faults import KINDS
from harness.provider.faults.trigger import TRIGGERS as THEIR_TRIGGERS

PLACES = [
    "provider.primary",
    "provider.secondary",
    "links.postgres",
    "processes.worker",
    "containers.worker",
    "dependencies.redis",
    "dependencies.postgres",
    "host",
    "disks.data",
    "clocks.a",
    "commands.x",
    "deploys.service",
]
FRAMES = {
    "__init__",
    "catalogue",
    "checking",
    "overlap",
    "relations",
    "toxic",
    "told",
    "process",
    "provider",
    "container",
    "dependency",
    "resource",
    "requests",
    "deploy",
}


@pytest.mark.parametrize(
    ("at", "kind", "parameters"),
    [
        ("provider.primary", "timeout", {}),
        ("provider.primary", "timeout", {"timeout": 0, "stream": "upstream", "toxicity": 0.5}),
        ("links.postgres", "latency", {"latency": 800, "jitter": 800}),
        ("links.postgres", "latency", {"latency": 0, "toxicity": 1}),
        ("links.postgres", "down", {}),
        ("provider.primary", "status", {"code": 429, "retry_after": "2", "share": 0.5, "only_model": "sim-large"}),
        ("provider.primary", "status", {"only_key": "0123456789ab"}),
        ("provider.primary", "stall", {"for_ms": 1.5, "window_from_ms": 0, "window_to_ms": 10}),
        ("processes.worker", "freeze", {"tree": False}),
        ("clocks.a", "clock_skew", {"offset": -86_400}),
        ("processes.worker", "terminate", {"within": 60_000}),
    ],
)
def test_a_fault_as_people_write_it_has_no_problem(at, kind, parameters):
    assert check_fault(at, kind, parameters, PLACES) == []


@pytest.mark.parametrize(
    ("at", "kind", "parameters", "words"),
    [
        ("provider.primry", "timeout", {}, ["'provider.primry'", "links.postgres", "did you mean 'provider.primary'?"]),
        ("provider.primary", "timout", {}, ["'timout'", "reset_peer", "did you mean 'timeout'?"]),
        ("processes.worker", "latency", {"latency": 1}, ["provider.* or links.*", "processes.worker", "freeze, kill"]),
        ("links.postgres", "freeze", {}, ["processes.*", "'links.postgres'", "latency"]),
        ("links.postgres", "latency", {}, ["latency needs latency", "a whole number of ms within 0..3600000"]),
        ("links.postgres", "latency", {"latency": 5, "jiter": 1}, ["'jiter'", "did you mean 'jitter'?"]),
        ("links.postgres", "latency", {"latency": -1}, ["latency is -1", "within 0..3600000"]),
        ("links.postgres", "latency", {"latency": 3_600_001}, ["3600001", "within 0..3600000"]),
        ("links.postgres", "latency", {"latency": True}, ["latency is True", "a whole number"]),
        ("links.postgres", "latency", {"latency": 1.5}, ["latency is 1.5", "a whole number"]),
        ("links.postgres", "latency", {"latency": "100"}, ["'100'", "a whole number"]),
        ("links.postgres", "latency", {"latency": None}, ["None", "a whole number"]),
        ("clocks.a", "clock_skew", {"offset": 1}, ["offset is 1", "2 or more"]),
        ("links.postgres", "latency", {"latency": [1]}, ["[1]", "a whole number"]),
        ("links.postgres", "latency", {"latency": 5, "jitter": 6}, ["jitter is 6", "at most latency"]),
        ("links.postgres", "slicer", {"average_size": 4, "size_variation": 4}, ["size_variation is 4", "below average_size"]),
        ("links.postgres", "timeout", {"stream": "upstreem"}, ["'upstreem'", "'both'", "did you mean 'upstream'?"]),
        ("links.postgres", "timeout", {"stream": 1}, ["stream is 1", "'downstream'"]),
        ("links.postgres", "timeout", {"toxicity": 1.01}, ["toxicity is 1.01", "within 0..1"]),
        ("links.postgres", "timeout", {"toxicity": float("nan")}, ["nan", "within 0..1"]),
        ("provider.primary", "status", {"code": 200}, ["code is 200", "within 400..599"]),
        ("provider.primary", "status", {"nth": 1, "share": 0.5}, ["share and nth exclude each other"]),
        ("provider.primary", "status", {"window_from_ms": 5, "window_to_ms": 5}, ["window_to_ms above window_from_ms"]),
        ("provider.primary", "status", {"retry_after": "2\r\nx: y"}, ["printable"]),
        ("provider.primary", "status", {"retry_after": "9" * 501}, ["up to 500"]),
        ("links.postgres", "status", {}, ["provider.*", "latency"]),
        ("links.postgres", "latency", {"latency": 1, "nth": 2}, ["nth picks HTTP requests", "links.postgres speaks no HTTP"]),
        ("provider.primary", "timeout", {"nth": 2, "first_n": 2}, ["nth and first_n exclude each other"]),
        ("provider.primary", "timeout", {"nth": 0}, ["nth is 0", "within 1.."]),
        ("provider.primary", "timeout", {"only_key": "sk-x"}, ["only_key is 'sk-x'", "first 12 hex digits", "sha256sum"]),
        ("provider.primary", "status", {"only_key": "ABCDEF012345"}, ["first 12 hex digits"]),
        ("provider.primary", "timeout", {"nth": 2, "stream": "both"}, ["one direction", "'upstream' or 'downstream'"]),
        ("provider.primary", "timeout", {"nth": 2, "toxicity": 0.5}, ["toxicity is a share of connections"]),
        ("provider.primary", "down", {"nth": 2}, ["'nth'", "it takes none"]),
        ("links.postgres", "down", {"timeout": 1}, ["'timeout'", "it takes none"]),
        ("processes.worker", "freeze", {"tree": 1}, ["tree is 1", "true or false"]),
    ],
)
def test_a_problem_names_the_value_what_is_allowed_and_the_nearest_name(at, kind, parameters, words):
    problems = check_fault(at, kind, parameters, PLACES)
    assert len(problems) == 1
    for word in words:
        assert word in problems[0]


def test_every_problem_of_a_fault_is_told_at_once():
    problems = check_fault("links.redis", "latency", {"latency": -1, "jiter": 3}, PLACES)
    assert len(problems) == 3


def test_a_target_that_offers_nothing_says_so():
    assert check_fault("links.redis", "down", {}, []) == [
        "at is 'links.redis', which the target does not offer; it offers no place for faults"
    ]


names = st.sampled_from([*FAULT_KINDS, "nonsense", ""])
values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=2))


@given(st.text(), names, st.dictionaries(st.sampled_from(["latency", "stream", "toxicity", "tree", "x"]), values))
def test_no_fault_whatever_is_in_it_makes_the_check_raise(at, kind, parameters):
    for problem in check_fault(at, kind, parameters, PLACES):
        assert problem


def test_every_file_of_the_folder_is_in_the_catalogue_under_its_own_name():
    files = {path.stem for path in Path(harness.model.fault_kinds.__file__).parent.glob("*.py")} - FRAMES
    assert files == set(FAULT_KINDS)


def test_every_kind_can_act_somewhere_and_describes_itself():
    for kind in FAULT_KINDS.values():
        assert kind.title
        assert any(fnmatchcase(at, place) for at in PLACES for place in kind.places)
        for part in kind.parameters:
            assert part.doc
            assert not (part.required and part.default is not None)


def test_the_defaults_of_every_kind_pass_its_own_check():
    for kind in FAULT_KINDS.values():
        at = next(at for at in PLACES if any(fnmatchcase(at, place) for place in kind.places))
        required = {part.name: part.low for part in kind.parameters if part.required}
        assert check_fault(at, kind.kind, complete(kind, required), PLACES) == []


def test_transport_kinds_have_the_ranges_that_the_embedded_proxy_takes():
    """Two tables of one truth: `model` may not import the proxy, and the proxy serves Toxiproxy's defaults, not ours."""
    ours = {kind.kind: kind for kind in FAULT_KINDS.values() if kind.layer is Layer.TRANSPORT}
    assert set(ours) == set(TOXICS) - {"noop"} | {"down", "ports_exhausted"}
    for name in set(ours) - {"down", "ports_exhausted"}:
        beside = {"stream", "toxicity", *(part.name for part in REQUEST_TRIGGERS)}
        own = [part for part in ours[name].parameters if part.name not in beside]
        seen = [(part.name, part.type, part.unit, part.low, part.high) for part in own]
        assert seen == [(part.name, part.type, part.unit, part.low, part.high) for part in TOXICS[name].PARAMETERS]


def test_provider_kinds_have_the_parameters_that_the_simulated_provider_takes():
    ours = {kind.kind: kind for kind in FAULT_KINDS.values() if kind.layer is Layer.PROVIDER}
    assert set(ours) == set(KINDS)
    for name, kind in ours.items():
        own = {part for part in kind.parameters if part not in TRIGGERS}
        facts = {
            (part.name, part.type, part.unit, part.low, part.high, part.default, part.required, part.choices) for part in own
        }
        theirs = {
            (part.name, part.type, part.unit, part.low, part.high, part.default, part.required, part.choices)
            for part in KINDS[name].PARAMETERS
        }
        assert facts == theirs, name


def test_the_triggers_are_those_that_the_simulated_provider_takes():
    facts = {(part.name.removeprefix("only_"), part.type, part.unit, part.low, part.high) for part in TRIGGERS}
    theirs = {(part.name, part.type, part.unit, part.low, part.high) for part in THEIR_TRIGGERS}
    assert facts == {fact for fact in theirs if fact[0] != "always"}


def test_no_kind_has_a_parameter_that_its_trigger_has_too():
    for kind in FAULT_KINDS.values():
        named = [part.name for part in kind.parameters]
        assert len(named) == len(set(named)), kind.kind


def test_the_trigger_is_told_from_the_parameters_by_its_names():
    assert split_trigger({"model": "sim-unasked", "only_model": "sim-large", "first_n": 3}) == (
        {"model": "sim-unasked"},
        {"model": "sim-large", "first_n": 3},
    )


def test_the_trigger_of_a_toxic_is_told_from_its_parameters_too():
    given = {"latency": 5, "request_share": 0.2, "only_path": "/v1/*"}
    assert split_requests(given) == ({"latency": 5}, {"share": 0.2, "path": "/v1/*"})


def test_a_provider_that_goes_dark_is_dark_in_both_directions():
    assert complete(FAULT_KINDS["timeout"], {})["stream"] == "both"


def test_what_was_given_wins_over_the_default():
    assert complete(FAULT_KINDS["timeout"], {"stream": "upstream", "timeout": 0}) == {
        "stream": "upstream",
        "timeout": 0,
        "toxicity": 1.0,
    }


def fault(kind: str, at: str = "links.postgres", **parameters) -> Fault:
    return Fault(id=kind, at=at, kind=kind, phase="outage", apply_ns=0, clear_ns=1, parameters=parameters)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (fault("down"), fault("down")),
        (fault("down"), fault("latency", latency=5)),
        (fault("ports_exhausted"), fault("latency", latency=5)),
        (fault("ports_exhausted"), fault("down")),
        (fault("slow_disk", "dependencies.postgres"), fault("read_only", "dependencies.postgres")),
        (fault("latency", latency=5), fault("down")),
        (fault("timeout"), fault("timeout", stream="upstream")),
        (fault("latency", latency=5), fault("latency", latency=9)),
        (fault("freeze", "processes.worker"), fault("kill", "processes.worker")),
        (fault("kill", "processes.service-a"), fault("rolling_restart", "deploys.service")),
        (fault("rolling_restart", "deploys.service"), fault("starve", "processes.service-b")),
        (fault("canary", "deploys.service"), fault("blue_green", "deploys.service")),
        (fault("down", "provider.primary"), fault("status", "provider.primary")),
        (fault("stall", "provider.secondary"), fault("down", "provider.secondary")),
        (fault("freeze", "processes.provider"), fault("status", "provider.primary")),
    ],
)
def test_two_faults_that_contradict_each_other_are_told_apart(first, second):
    assert contradiction(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (fault("down"), fault("down", "links.redis")),
        (fault("latency", latency=5), fault("latency", latency=5, stream="upstream")),
        (fault("latency", latency=5), fault("timeout")),
        (fault("freeze", "processes.worker"), fault("freeze", "processes.postgres")),
        (fault("down", "provider.primary"), fault("status", "provider.secondary")),
        (fault("latency", "provider.primary", latency=5), fault("status", "provider.primary")),
        (fault("starve", "processes.provider"), fault("status", "provider.primary")),
        (fault("freeze", "processes.worker"), fault("status", "provider.primary")),
    ],
)
def test_two_faults_that_can_hold_together_are_left_alone(first, second):
    assert contradiction(first, second) is None
