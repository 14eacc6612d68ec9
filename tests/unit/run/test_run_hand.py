"""Orders that are none get an error and change nothing, and the hand goes on listening."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.run.hand import Hand, Owner


class Injector:
    places = frozenset({"links.redis"})

    def active(self) -> tuple[()]:
        return ()


class Nobody:
    """Lanes in which nothing may be done."""

    def do(self, at: str, work: object) -> None:
        raise AssertionError(f"{work} was to be done at {at}")


@pytest.fixture
def address(short_path: Path) -> Iterator[str]:
    entries: list[object] = []
    owner = Owner(name="run", what="a test")
    hand = Hand(
        owner, Injector(), lanes=Nobody(), halt=entries.append, record=lambda *parts, **data: entries.append((parts, data))
    )
    path = short_path / "run.sock"
    hand.listen(path).begin()
    yield str(path)
    hand.close()
    assert not path.exists()
    assert entries == [], "nothing was changed, so nothing is in the journal"


def answer(address: str, line: bytes) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(address)
        connection.sendall(line + b"\n")
        connection.shutdown(socket.SHUT_WR)
        return json.loads(connection.makefile("rb").readline())


def fault(**given: object) -> bytes:
    return json.dumps(
        {"do": "add", "fault": {"at": "links.redis", "kind": "down", "parameters": {}, "for_s": 1, **given}}
    ).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"rubbish \xff",
        b"[]",
        b"{}",
        b'"halt"',
        b'{"do": "dance"}',
        b'{"do": "add"}',
        b'{"do": "add", "fault": 7}',
        b'{"do": "clear"}',
        b'{"do": "clear", "ids": 7}',
        b'{"do": "clear", "ids": ["nobody"]}',
        b"[" * 60_000,
        b'{"do": "' + b"x" * 100_000 + b'"}',
        fault(for_s="nan"),
        fault(for_s=1e400),
        fault(for_s=-1),
        fault(for_s=None),
        fault(for_s=3601),
        fault(parameters=[1]),
        fault(at="links.nobody"),
        fault(kind="dwn"),
        fault(kind="latency", parameters={"latency": -1}),
    ],
    ids=lambda line: line[:40].decode(errors="replace"),
)
def test_what_is_no_order_gets_an_error_and_the_next_one_is_heard(address: str, line: bytes) -> None:
    assert answer(address, line)["error"]
    assert answer(address, b'{"do": "info"}')["ok"]["name"] == "run"
