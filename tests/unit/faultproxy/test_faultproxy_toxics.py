"""Each toxic alone, on a line that only records."""

import asyncio
import random
from collections.abc import Mapping

import pytest

from harness.faultproxy.failure import ApiError
from harness.faultproxy.toxic import Toxic, checked_attributes
from harness.faultproxy.toxics import TOXICS
from harness.faultproxy.toxics.stage import Data, Ending, Stage, Tally


class Recorder:
    """The pipe around a stage: what came out of it, and what it asked for."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.endings: list[Ending] = []
        self.holds = 0
        self.resets = 0

    def hold(self) -> None:
        self.holds += 1

    def unhold(self) -> None:
        self.holds -= 1

    def reset(self) -> None:
        self.resets += 1

    def take(self, data: Data) -> None:
        self.out.append(bytes(data))


def staged(type_: str, seed: str = "s", **attributes: float) -> tuple[Recorder, Stage]:
    """Return a recorder and a stage of one toxic that passes on to it."""
    line = Recorder()
    stage = TOXICS[type_](line, checked_attributes(type_, attributes), Tally(), random.Random(seed))
    stage.out_feed, stage.out_end = line.take, line.endings.append
    return line, stage


@pytest.mark.parametrize("type_", sorted(TOXICS))
def test_every_parameter_has_a_range_a_default_within_it_and_words(type_: str) -> None:
    for parameter in TOXICS[type_].PARAMETERS:
        assert parameter.low is not None
        assert parameter.high is not None
        assert isinstance(parameter.default, parameter.type)
        assert parameter.low <= float(parameter.default) <= parameter.high
        assert parameter.doc
        assert parameter.unit or parameter.type is float


def test_the_names_are_toxiproxys_and_two_of_ours() -> None:
    theirs = {"bandwidth", "latency", "limit_data", "noop", "reset_peer", "slicer", "slow_close", "timeout"}
    assert set(TOXICS) == theirs | {"corrupt", "loss"}


@pytest.mark.parametrize("type_", sorted(set(TOXICS) - {"timeout"}))
def test_what_a_toxic_without_attributes_holds_is_released_by_its_removal(type_: str) -> None:
    async def use() -> list[bytes]:
        line, stage = staged(type_, share=0, bytes=1000)
        stage.start()
        for part in (b"ab", b"cd", b"ef"):
            stage.feed(part)
        stage.removed()
        stage.stop()
        return line.out

    assert b"".join(asyncio.run(use())) == b"abcdef"


def test_a_removed_timeout_cuts_and_drops() -> None:
    line, stage = staged("timeout")
    stage.start()
    stage.feed(b"lost")
    assert (line.out, line.endings) == ([], [])
    stage.removed()
    assert (line.out, line.endings) == ([], [Ending.CUT])


@pytest.mark.parametrize("type_", sorted(set(TOXICS) - {"timeout", "reset_peer"}))
@pytest.mark.parametrize("ending", [Ending.FIN, Ending.RST, Ending.CUT])
def test_the_end_passes_behind_the_last_byte_and_keeps_its_kind(type_: str, ending: Ending) -> None:
    async def use() -> Recorder:
        line, stage = staged(type_, share=0, bytes=1000, average_size=2, rate=1)
        stage.feed(b"abcdef")
        stage.end(ending)
        for _ in range(200):
            if line.endings:
                break
            await asyncio.sleep(0.001)
        return line

    line = asyncio.run(use())
    assert (b"".join(line.out), line.endings) == (b"abcdef", [ending])


def test_limit_data_passes_exactly_its_bytes_over_many_chunks() -> None:
    line, stage = staged("limit_data", bytes=10)
    for _ in range(5):
        stage.feed(b"abc")
    stage.end(Ending.FIN)
    assert (b"".join(line.out), line.endings) == (b"abcabcabca", [Ending.CUT])
    assert (stage.tally.connections, stage.tally.bytes) == (1, 2)


def test_a_limit_raised_above_what_passed_lets_more_through() -> None:
    line, stage = staged("limit_data", bytes=5)
    stage.feed(b"abcd")
    assert isinstance(stage.attributes, dict)
    stage.attributes["bytes"] = 8
    stage.edited()
    stage.feed(b"efghij")
    assert b"".join(line.out) == b"abcdefgh"


@pytest.mark.parametrize(("average", "variation"), [(1, 0), (10, 0), (10, 9), (10, 50)])
def test_the_slicers_pieces_keep_to_their_sizes(average: int, variation: int) -> None:
    async def use() -> list[bytes]:
        line, stage = staged("slicer", average_size=average, size_variation=variation)
        stage.feed(bytes(range(256)))
        stage.release()
        return line.out

    pieces = asyncio.run(use())
    assert b"".join(pieces) == bytes(range(256))
    assert all(max(1, average - variation) <= len(piece) <= average + variation for piece in pieces[:-1])


def test_a_stage_that_holds_too_much_asks_the_sender_to_wait_and_lets_go_later() -> None:
    async def use() -> tuple[int, int]:
        line, stage = staged("bandwidth", rate=0)
        stage.feed(bytes(64 * 1024 + 1))
        full = line.holds
        stage.release()
        return full, line.holds

    assert asyncio.run(use()) == (1, 0)


def test_corruption_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    def corrupted(seed: str) -> bytes:
        line, stage = staged("corrupt", seed=seed, share=0.3)
        stage.feed(bytes(200))
        return line.out[0]

    assert corrupted("a") == corrupted("a") != corrupted("b")


@pytest.mark.parametrize(("share", "changed"), [(0.0, 0), (1.0, 500)])
def test_corruption_of_none_and_of_all(share: float, changed: int) -> None:
    line, stage = staged("corrupt", share=share)
    stage.feed(bytes(500))
    assert sum(map(bool, line.out[0])) == changed == stage.tally.bytes


def test_the_share_of_connections_that_a_toxic_strikes_is_its_toxicity() -> None:
    toxic = Toxic(name="t", type="noop", stream="downstream", toxicity=0.3, attributes={})
    first = [toxic.strikes(f"1|p|{number}|downstream") for number in range(2000)]
    assert 500 < sum(first) < 700
    assert first == [toxic.strikes(f"1|p|{number}|downstream") for number in range(2000)]
    toxic.edits += 1
    assert first != [toxic.strikes(f"1|p|{number}|downstream") for number in range(2000)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"latency": 0, "jitter": 0}),
        ({"latency": 5}, {"latency": 5, "jitter": 0}),
        ({"LATENCY": 5, "unknown": "x"}, {"latency": 5, "jitter": 0}),
        ({"latency": None}, {"latency": 0, "jitter": 0}),
    ],
)
def test_attributes_are_read_as_toxiproxy_reads_them(given: Mapping[str, object], expected: Mapping[str, int]) -> None:
    assert checked_attributes("latency", given) == expected


@pytest.mark.parametrize("value", [1.5, "1", True, [], -1, 3_600_001, 1e300])
def test_attributes_out_of_range_or_type_are_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(ApiError, match="allowed: whole numbers from 0 to 3600000 ms") as refused:
        checked_attributes("latency", {"latency": value})
    assert refused.value.status == 400
