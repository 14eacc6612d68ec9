import json

from harness.model.target import Needs
from harness.target.embedded.credentials import Credentials


def test_every_user_gets_a_key_of_its_own() -> None:
    keys = Credentials.generate(Needs(principals=3, capped_principals={"capped": 0.15})).keys
    assert list(keys) == ["user-0000", "user-0001", "user-0002", "capped"]
    assert len(set(keys.values())) == 4
    assert all(key.startswith("sk-") and len(key) > 40 for key in keys.values())


def test_two_runs_share_no_secret() -> None:
    one, other = (Credentials.generate(Needs(principals=2)) for _ in range(2))
    assert not set(one.mask.secrets) & set(other.mask.secrets)


def test_the_service_is_told_of_everyone_and_of_the_budgets() -> None:
    credentials = Credentials.generate(Needs(principals=1, capped_principals={"capped": 0.0}))
    users = {user["name"]: user for user in json.loads(credentials.provisioning())["users"]}
    assert users["user-0000"]["daily_budget_usd"] is None
    assert users["capped"]["daily_budget_usd"] == 0.0
    assert users["capped"]["key"] == credentials.keys["capped"]
    assert users["capped"]["tenant"] != users["user-0000"]["tenant"]


def test_a_capped_user_with_an_ordinary_name_is_made_once_with_its_budget() -> None:
    credentials = Credentials.generate(Needs(principals=2, capped_principals={"user-0001": 1.0}))
    assert [(user.name, user.daily_budget_usd) for user in credentials.users] == [("user-0000", None), ("user-0001", 1.0)]


def test_no_secret_shows_in_a_representation() -> None:
    credentials = Credentials.generate(Needs(principals=2))
    assert len(credentials.mask.secrets) == 5
    assert not [secret for secret in credentials.mask.secrets if secret in repr(credentials)]
