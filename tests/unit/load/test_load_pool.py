"""Lanes and wires on a real gevent loop, against a server in a thread."""

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest
from load_plans import plan

from harness.errors import HarnessError, LoadError
from harness.exchange import End, Outcome, Reading
from harness.load.address import resolve
from harness.load.clock import Alarm
from harness.load.pool import Pool
from harness.load.schedule import build_schedule
from harness.load.wording import Wording
from harness.model.assignment import Assignment
from harness.model.signals import Signals

S = 1_000_000_000
BODY = b'{"choices":[{"message":{"content":"ok"}}]}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)
SCHEDULE = build_schedule(plan(streamed_ratio=0))
KEYS = {f"user-{number:04d}": "key" for number in range(7)}


class Ledger:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.rows: dict[int, tuple[Outcome, int | None, int | None]] = {}
        self.failures: list[HarnessError] = []

    def started(self, index: int, started_ns: int) -> None:
        self.begun.append(index)

    def ended(self, index: int, outcome: Outcome, started_ns: int | None, pool_wait_ns: int | None) -> None:
        assert index not in self.rows, "told twice"
        self.rows[index] = (outcome, started_ns, pool_wait_ns)

    def failed(self, error: HarnessError) -> None:
        self.failures.append(error)


class Server:
    """Accepts connections; `serve` has each of them in a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.accepted = 0
        self._serve = serve
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._serve(connection)
            except OSError:
                return


def polite(connection: socket.socket) -> None:
    while connection.recv(65_536):
        connection.sendall(ANSWER)


def once(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(ANSWER)


def silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


@contextmanager
def pool_on(
    serve: Callable[[socket.socket], None], *, timeout_ns: int = 5 * S, max_lanes: int = 50
) -> Iterator[tuple[Pool, Ledger, Server]]:
    server, ledger = Server(serve), Ledger()
    pool = Pool(
        address=resolve(f"http://127.0.0.1:{server.listener.getsockname()[1]}"),
        schedule=SCHEDULE,
        wording=Wording(SCHEDULE, Assignment(run_directory="", base_url="", keys=KEYS), host="h", run_id="r"),
        reading=Reading(Signals()),
        ledger=ledger,
        timeout_ns=timeout_ns,
        max_lanes=max_lanes,
    )
    try:
        yield pool, ledger, server
    finally:
        pool.cut_short(End.STOPPED)
        server.listener.close()


def wait_for(ledger: Ledger, count: int) -> None:
    with gevent.Timeout(5):
        while len(ledger.rows) < count:
            gevent.sleep(0.005)


def test_a_warm_connection_is_used_again_and_again() -> None:
    with pool_on(polite) as (pool, ledger, server):
        pool.warm(1)
        pool.start(time.monotonic_ns())
        for index in range(5):
            pool.send(index)
            wait_for(ledger, index + 1)
        assert server.accepted == 1
        assert {outcome.result for outcome, _, _ in ledger.rows.values()} == {"answered"}
        assert ledger.begun == [0, 1, 2, 3, 4]
        assert pool.in_flight == 0


def test_the_pool_grows_when_all_lanes_are_busy_and_what_is_beyond_it_is_unsent() -> None:
    with pool_on(silent, max_lanes=3) as (pool, ledger, _):
        pool.warm(1)
        for index in range(5):
            pool.send(index)
        wait_for(ledger, 2)
        gevent.sleep(0.05)
        assert pool.in_flight == 3
        assert set(ledger.rows) == {3, 4}
        for outcome, started_ns, _ in ledger.rows.values():
            assert (outcome.result, outcome.error_kind, outcome.ended_ns, started_ns) == ("unsent", "pool_exhausted", None, None)


def test_a_connection_that_the_peer_closed_while_idle_is_replaced_and_blamed_on_nobody() -> None:
    with pool_on(once) as (pool, ledger, server):
        pool.warm(1)
        for index in range(3):
            pool.send(index)
            wait_for(ledger, index + 1)
            gevent.sleep(0.05)
        assert server.accepted == 3
        assert {outcome.result for outcome, _, _ in ledger.rows.values()} == {"answered"}


def test_a_request_ends_at_its_time_limit_and_its_lane_works_on() -> None:
    answers = iter([b"", ANSWER])

    def first_silent(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(next(answers))

    with pool_on(first_silent, timeout_ns=S // 5) as (pool, ledger, server):
        pool.warm(1)
        pool.start(time.monotonic_ns())
        pool.send(0)
        wait_for(ledger, 1)
        outcome, started_ns, _ = ledger.rows[0]
        assert (outcome.result, outcome.error_kind) == ("timeout", "first_byte_timeout")
        assert started_ns is not None
        assert outcome.ended_ns is not None
        assert S // 5 <= outcome.ended_ns - started_ns + 5_000_000 < S
        pool.send(1)
        wait_for(ledger, 2)
        assert ledger.rows[1][0].result == "answered"
        assert server.accepted == 2  # the connection that hung is not used again
        gevent.sleep(0.3)
        assert len(ledger.rows) == 2


def test_the_wait_for_a_connection_is_pool_wait_and_comes_before_the_start() -> None:
    with pool_on(polite) as (pool, ledger, _):
        pool.start(time.monotonic_ns())
        before_ns = time.monotonic_ns() - pool.zero_ns
        pool.send(0)
        wait_for(ledger, 1)
        _, started_ns, pool_wait_ns = ledger.rows[0]
        assert started_ns is not None
        assert pool_wait_ns is not None
        assert started_ns - pool_wait_ns == pytest.approx(before_ns, abs=20_000_000)
        assert 0 < pool_wait_ns <= started_ns


@pytest.mark.parametrize("cut", [End.STOPPED, End.DRAIN_ENDED])
def test_cut_short_every_arrival_handed_over_is_told_once(cut: End) -> None:
    with pool_on(silent) as (pool, ledger, _):
        pool.warm(2)
        for index in range(4):
            pool.send(index)
        gevent.sleep(0.05)
        for index in range(4, 8):
            pool.send(index)  # handed over, but their lanes never ran
        pool.cut_short(cut)
        assert sorted(ledger.rows) == list(range(8))
        assert {(outcome.result, outcome.error_kind) for outcome, _, _ in ledger.rows.values()} == {("cancelled", cut.value)}
        assert sorted(ledger.begun) == [0, 1, 2, 3]


def test_a_target_that_takes_no_connection_is_an_error_before_the_start() -> None:
    with pool_on(polite) as (pool, _, server):
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        with pytest.raises(LoadError, match="connect_refused"):
            pool.warm(3)


@pytest.mark.parametrize(
    ("code", "result", "kind"),
    [
        (errno.EMFILE, "unsent", "too_many_files"),
        (errno.EADDRNOTAVAIL, "unsent", "no_local_port"),
        (errno.EHOSTUNREACH, "error", "connect_failed"),
        (errno.ECONNREFUSED, "error", "connect_refused"),
    ],
)
def test_what_this_machine_cannot_do_is_unsent_what_the_target_does_is_an_error(
    monkeypatch: pytest.MonkeyPatch, code: int, result: str, kind: str
) -> None:
    with pool_on(polite) as (pool, ledger, _):

        def fail(_: object) -> None:
            raise OSError(code, "made up")

        monkeypatch.setattr("harness.load.wire.Wire._open", fail)
        pool.send(0)
        wait_for(ledger, 1)
        outcome, started_ns, _ = ledger.rows[0]
        assert (outcome.result, outcome.error_kind) == (result, kind)
        assert (started_ns is None) == (result == "unsent")


LARGE = b"x" * (16 * 1024 * 1024)
"""More than the buffers of two sockets hold."""


def test_a_request_that_the_socket_does_not_take_at_once_is_sent_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[int] = []

    def takes_all(connection: socket.socket) -> None:
        left = len(LARGE)
        while left and (data := connection.recv(1 << 20)):
            left -= len(data)
        came.append(len(LARGE) - left)
        connection.sendall(ANSWER)
        connection.recv(1)

    with pool_on(takes_all) as (pool, ledger, _):
        monkeypatch.setattr(Wording, "request", lambda *_: LARGE)
        pool.warm(1)
        pool.send(0)
        wait_for(ledger, 1)
        assert ledger.rows[0][0].result == "answered"
        assert came == [len(LARGE)]


def test_an_answer_before_all_was_sent_counts_and_its_connection_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers_early(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(ANSWER)
        time.sleep(1)

    with pool_on(answers_early) as (pool, ledger, server):
        monkeypatch.setattr(Wording, "request", lambda *_: LARGE)
        pool.warm(1)
        for index in range(2):
            pool.send(index)
            wait_for(ledger, index + 1)
        assert {outcome.result for outcome, _, _ in ledger.rows.values()} == {"answered"}
        assert server.accepted == 2


def test_a_request_that_is_never_taken_ends_at_its_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with pool_on(lambda _: time.sleep(1), timeout_ns=S // 5) as (pool, ledger, _):
        monkeypatch.setattr(Wording, "request", lambda *_: LARGE)
        pool.warm(1)
        pool.send(0)
        wait_for(ledger, 1)
        assert (ledger.rows[0][0].result, ledger.rows[0][0].error_kind) == ("timeout", "first_byte_timeout")
        assert pool.in_flight == 0


def test_a_lane_that_dies_of_a_bug_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pool_on(polite) as (pool, ledger, _):
        monkeypatch.setattr(Wording, "request", lambda *_: 1 / 0)
        pool.send(0)
        with gevent.Timeout(5):
            while not ledger.failures:
                gevent.sleep(0.005)
        assert "ZeroDivisionError" in str(ledger.failures[0])
    capsys.readouterr()


def test_an_alarm_wakes_at_its_moment_and_not_before() -> None:
    alarm = Alarm()
    try:
        for wait_ns in (0, -S, 3_000_000, 50_000_000):
            moment = time.monotonic_ns() + wait_ns
            assert alarm.wait_until(moment) is (wait_ns > 0)
            assert moment <= time.monotonic_ns() < moment + S + max(-wait_ns, 0)
    finally:
        alarm.close()
