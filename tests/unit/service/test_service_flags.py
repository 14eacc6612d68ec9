"""Feature flags: a share of the users, the same ones each time, and a switch that ends it."""

import json
from pathlib import Path

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

from reference_service.operations.flags import Flag, RolloutProvider, read_flags, write_flags

USERS = [f"user-{number}" for number in range(4000)]


def on_for(provider: RolloutProvider, flag: str = "rag") -> set[str]:
    return {u for u in USERS if provider.resolve_boolean_details(flag, False, EvaluationContext(u)).value}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "flags.json"


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.2, 700, 900), (0.5, 1880, 2120), (1.0, 4000, 4000)])
def test_a_rollout_reaches_its_share_of_the_users(file: Path, share: float, low: int, high: int):
    write_flags(file, {"rag": Flag(enabled=True, rollout=share)})
    assert low <= len(on_for(RolloutProvider(file))) <= high


def test_another_process_decides_the_same(file: Path):
    write_flags(file, {"rag": Flag(enabled=True, rollout=0.5)})
    assert on_for(RolloutProvider(file)) == on_for(RolloutProvider(file))
    # written down, so that a new version of the program cannot move users about
    first = [u for u in USERS[:20] if u in on_for(RolloutProvider(file))]
    assert [int(u[5:]) for u in first] == FIRST_OF_HALF


def test_who_is_in_stays_in_when_the_share_grows(file: Path):
    seen: set[str] = set()
    for share in (0.05, 0.25, 0.5, 1.0):
        write_flags(file, {"rag": Flag(enabled=True, rollout=share)})
        now = on_for(RolloutProvider(file))
        assert seen <= now
        seen = now


def test_two_flags_do_not_pick_the_same_users(file: Path):
    write_flags(file, {name: Flag(enabled=True, rollout=0.5) for name in ("rag", "routing")})
    provider = RolloutProvider(file)
    assert 800 < len(on_for(provider, "rag") & on_for(provider, "routing")) < 1200


def test_the_kill_switch_acts_at_once_and_an_unreadable_file_changes_nothing(file: Path):
    write_flags(file, {"rag": Flag(enabled=True, rollout=1.0)})
    provider = RolloutProvider(file)
    assert len(on_for(provider)) == 4000
    file.write_text('{"rag": {"enabled": "perhaps"}}')
    assert len(on_for(provider)) == 4000
    assert provider.problem is not None
    assert "rag.enabled" in provider.problem
    write_flags(file, {"rag": Flag(enabled=False, rollout=1.0)})
    assert on_for(provider) == set()
    assert provider.problem is None


def test_it_answers_through_openfeature_and_unknown_flags_are_their_default(file: Path):
    write_flags(file, {"rag": Flag(enabled=True, rollout=1.0)})
    api.set_provider(RolloutProvider(file), "gateway-tests")
    client = api.get_client("gateway-tests")
    assert client.get_boolean_value("rag", False, EvaluationContext("ann")) is True
    assert client.get_boolean_value("rag", False) is False  # nobody in particular is in no share
    assert client.get_boolean_value("unheard-of", True, EvaluationContext("ann")) is True
    assert json.loads(file.read_text())["rag"] == read_flags(file)["rag"].model_dump()


FIRST_OF_HALF = [2, 3, 5, 11, 16, 17, 19]
