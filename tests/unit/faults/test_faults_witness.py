"""What stands in for the accounts that the real Toxiproxy does not keep."""

import socket

import pytest

from harness.faults.witness import Accounts, Connection, connections
from harness.faults.witnessed import count_accepted

STEP = 100_000_000


def seen(cookie, received, *, port=5432, peer="172.18.0.5"):
    return Connection(cookie=cookie, port=port, peer=peer, received_bytes=received)


def accounts(*snapshots, not_from="172.18.0.1"):
    kept = Accounts(frozenset({5432}), not_from)
    for number, snapshot in enumerate(snapshots):
        kept.note(iter(snapshot), number * STEP)
    return kept


def test_a_connection_that_carries_bytes_after_the_moment_counts_once():
    kept = accounts(
        [seen(1, 10), seen(2, 10)], [seen(1, 10), seen(2, 10)], [seen(1, 20), seen(2, 10)], [seen(1, 30), seen(2, 10)]
    )
    assert kept.traffic(5432, STEP) == {"carried": 1, "ended": 0}


def test_bytes_before_the_moment_do_not_count():
    assert accounts([seen(1, 10)], [seen(1, 20)], [seen(1, 20)]).traffic(5432, STEP) == {"carried": 0, "ended": 0}


def test_a_connection_that_came_later_is_left_to_the_log():
    assert accounts([], [], [seen(1, 10)], [seen(1, 50)]).traffic(5432, STEP)["carried"] == 0


def test_a_connection_that_is_gone_after_the_moment_was_ended():
    assert accounts([seen(1, 10), seen(2, 10)], [seen(2, 10)], []).traffic(5432, STEP) == {"carried": 0, "ended": 1}


def test_our_own_probes_and_other_ports_are_left_out():
    kept = accounts(*([seen(1, n, peer="172.18.0.1"), seen(2, n, port=6379)] for n in range(4)))
    assert kept.traffic(5432, STEP) == {"carried": 0, "ended": 0}
    assert kept.traffic(6379, STEP) == {"carried": 0, "ended": 0}


def test_the_kernel_tells_how_many_bytes_a_connection_received():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        taken, _ = server.accept()
        with taken:
            client.sendall(b"x" * 1234)
            assert taken.recv(1, socket.MSG_PEEK) == b"x"
            found = [each for each in connections() if each.port == server.getsockname()[1]]
    assert [(each.peer, each.received_bytes) for each in found] == [("127.0.0.1", 1234)]


def line(moment, client, name="links.redis", message="Accepted client"):
    return f'2026-11-23T07:00:{moment}Z {{"level":"info","name":"{name}","client":"{client}","time":"2026-11-23T07:00:00Z","message":"{message}"}}\n'.encode()


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (line("01.500000000", "172.18.0.5:4000"), 1),
        (line("01.500000000", "172.18.0.1:4000"), 0),
        (line("01.500000000", "172.18.0.5:4000", name="links.postgres"), 0),
        (line("01.500000000", "172.18.0.5:4000", message="Terminated proxy"), 0),
        (line("00.900000000", "172.18.0.5:4000") + line("02.100000000", "172.18.0.5:4000"), 0),
        (b"not a line of ours\n\xff\xfe {}\n2026 {}\n" + line("01.000000001", "172.18.0.15:4000"), 1),
    ],
)
def test_connections_accepted_between_two_moments_are_counted_from_the_log(log, expected):
    zero_ns = 1_795_417_200_000_000_000  # 2026-11-23T07:00:00Z
    assert count_accepted(log, "links.redis", zero_ns + 10**9, zero_ns + 2 * 10**9, "172.18.0.1") == expected
