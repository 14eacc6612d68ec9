"""An operator's tool breaks only on purpose: the seam of the tools is that of the service."""

from pathlib import Path

import pytest

from reference_service.defects import DEFECTS, planted
from reference_service.errors import SettingsError
from reference_service.operations.canary import Canary, Patience
from reference_service.operations.counts import Counts, RolloutError
from reference_service.operations.slots import Shares, threshold_of
from reference_service.operations.tools import Tools, tools_for
from reference_service.operations.traffic import SlotBalancer
from reference_service.parts import Parts


def test_without_a_defect_every_tool_is_whole_and_nothing_is_said(capsys: pytest.CaptureFixture[str]):
    assert tools_for({}) == Tools()
    assert capsys.readouterr().err == ""


def test_a_defect_replaces_one_tool_and_says_so(capsys: pytest.CaptureFixture[str]):
    broken = tools_for({"SERVICE_DEFECT": "canary-sticks", "SERVICE_UNDER_TEST": "yes"})
    assert broken.canary is not Canary
    assert (broken.backup, broken.balancer, broken.follower) == (Tools().backup, Tools().balancer, Tools().follower)
    assert '"defect": "canary-sticks"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SERVICE_DEFECT": "canary-sticks"}, "SERVICE_UNDER_TEST=yes"),
        ({"SERVICE_DEFECT": "canary-stick", "SERVICE_UNDER_TEST": "yes"}, "not a planted defect"),
    ],
)
def test_a_defect_is_refused_where_it_is_not_meant(environment: dict[str, str], said: str):
    with pytest.raises(SettingsError, match=said):
        tools_for(environment)


def test_a_defect_of_the_service_leaves_the_tools_whole():
    name = next(name for name in DEFECTS if name.startswith("rate-limit"))
    assert tools_for({"SERVICE_DEFECT": name, "SERVICE_UNDER_TEST": "yes"}) == Tools()


def test_defects_of_different_parts_are_planted_together_and_two_of_one_part_are_refused():
    both = planted("cache-never-expires+key-in-log", "yes", Parts(), "plant")
    assert {name for name in Parts.__slots__ if getattr(both, name) is not getattr(Parts(), name)} == {"cache", "log"}
    with pytest.raises(SettingsError, match="cache-never-expires and cache-keeps-degraded both break cache"):
        planted("cache-never-expires+cache-keeps-degraded", "yes", Parts(), "plant")
    with pytest.raises(SettingsError, match="SERVICE_DEFECT=no-such is not a planted defect"):
        planted("key-in-log+no-such", "yes", Parts(), "plant")
    with pytest.raises(SettingsError, match="SERVICE_UNDER_TEST=yes"):
        planted("cache-never-expires+key-in-log", "", Parts(), "plant")


@pytest.mark.parametrize("percent", [0, 1, 5, 25, 50, 99, 100])
def test_a_share_is_what_was_written_and_deals_that_part_of_all_ids(tmp_path: Path, percent: int):
    shares = Shares(tmp_path / "green")
    shares.write(percent)
    assert shares.read() == percent
    below = sum(f"{number:04x}" < threshold_of(percent) for number in range(0x10000))
    assert below == percent * 0x10000 // 100


@pytest.mark.parametrize("percent", [-1, 101])
def test_no_share_is_outside_the_whole(tmp_path: Path, percent: int):
    with pytest.raises(ValueError, match="use 0 to 100"):
        Shares(tmp_path / "green").write(percent)


def test_a_directory_that_is_no_balancers_is_named(tmp_path: Path):
    with pytest.raises(RolloutError, match=r"slots.json cannot be read"):
        SlotBalancer(tmp_path)


class Books:
    """Traffic by hand: what each side has counted, read after read."""

    def __init__(self, candidate: list[Counts | Exception]) -> None:
        self.candidate = candidate
        self.shifts: list[dict[str, int]] = []

    def weights(self) -> dict[str, int]:
        return self.shifts[-1]

    def shift(self, weights: dict[str, int]) -> None:
        self.shifts.append(weights)

    def counts(self, side: str) -> Counts:
        if side == "old":
            return counted(1000, 1)
        found = self.candidate.pop(0) if len(self.candidate) > 1 else self.candidate[0]
        if isinstance(found, Exception):
            raise found
        return found


def counted(requests: int, errors: int) -> Counts:
    return Counts(requests=requests, errors=errors, degraded=0, seconds=requests * 0.1)


@pytest.mark.parametrize(
    ("candidate", "code", "last"),
    [
        ([counted(0, 0), counted(0, 0), counted(50, 25)], 1, {"old": 100}),
        ([counted(0, 0), counted(0, 0), RolloutError("gone")], 1, {"old": 100}),
        ([counted(0, 0)], 3, {"old": 100}),
    ],
    ids=["fails more", "dies", "is asked by nobody"],
)
def test_a_candidate_that_does_worse_has_nothing_afterwards(candidate: list[Counts | Exception], code: int, last: dict[str, int]):
    books, said = Books(candidate), list[str]()
    patience = Patience(watch_s=0.01, least=10, wait_s=0.02)
    assert Canary(books, "old", "new", patience, said.append).run() == code
    assert books.shifts == [{"old": 95, "new": 5}, last]
    assert said[-1].startswith("taken back: ")


def test_a_candidate_that_never_answered_gets_nobody():
    books = Books([RolloutError("gives no metrics")])
    with pytest.raises(RolloutError):
        Canary(books, "old", "new", Patience(watch_s=0.01, least=1, wait_s=0.01), print).run()
    assert books.shifts == []
