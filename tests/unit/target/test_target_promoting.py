"""A made-up standby is asked by the real `psql` through the operators' program; the primary is one more, whom nobody promotes."""

import socket
from pathlib import Path

import pytest

from harness.target.operating.programs import OperatorPrograms
from harness.target.operating.promoting import promote_standby
from harness.target.operating.standby_stand_in import StandbyStandIn
from harness.target.supervise.logs import Mask


@pytest.mark.parametrize(("defect", "promoted"), [("", 0), ("standby-promoted-beside-its-primary", 1)])
def test_who_promotes_beside_a_primary_is_seen_by_what_the_standby_is_asked(tmp_path: Path, defect: str, promoted: int) -> None:
    settings = {"SERVICE_DEFECT": defect, "SERVICE_UNDER_TEST": "yes"} if defect else {}
    looks: list[int] = []
    with StandbyStandIn() as primary:
        url = f"postgresql://gateway:secret@{primary.address}/postgres"
        programs = OperatorPrograms(database_url=url, settings=settings, mask=Mask(), directory=lambda: tmp_path)
        told = promote_standby(programs, look=lambda: looks.append(primary.asked())).told
        assert primary.asked("pg_promote") == 0
    assert len(looks) == 2  # it worked before, and after
    assert (told["beside_promoted"], told["beside_exit"] == 0) == (promoted, bool(promoted))
    assert (told["without_promoted"], told["without_exit"]) == (1, 0)


def test_a_client_that_says_nonsense_is_left_alone() -> None:
    with StandbyStandIn() as standby:
        host, _, port = standby.address.rpartition(":")
        for said in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x00\x00\x08"):
            with socket.create_connection((host, int(port)), timeout=5) as client:
                client.sendall(said)
                client.shutdown(socket.SHUT_WR)
                assert client.recv(64) == b""
        assert standby.asked() == 0
