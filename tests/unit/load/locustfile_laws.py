"""What is wrong with a locustfile is told with its line; what its clients tell becomes an outcome; its users are dealt fairly.

Run by `test_load_locustfile_laws.py` in a process of its own, because Locust's import patches the process.
"""

import errno
import hashlib
import http.client
import ssl
from collections import Counter
from pathlib import Path

import pytest
import requests
import urllib3
from locust import HttpUser, User, task

from harness.errors import ConfigurationError
from harness.exchange import MAX_BODY_BYTES, Reading
from harness.exchange.events import EventStream
from harness.load.cast import Cast, spread
from harness.load.locustfile import import_locustfile
from harness.load.only_allowed import is_here
from harness.load.told import Told, kind_of, outcome_of
from harness.model.error_kind import ErrorKind
from harness.model.signals import Signals

GOOD = "from locust import HttpUser, task\nclass Asks(HttpUser):\n    @task\n    def ask(self):\n        pass\n"
S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "no user in the locustfile"),
        ("import locust\n\nclass A(locust.HttpUser):\n    abstract = True\n", "no user in the locustfile"),
        ("from locust import User\nclass A(User):\n    pass\n", "A has no task"),
        (
            "import no_such_thing\n",
            "imports what is not installed here: ModuleNotFoundError: No module named 'no_such_thing' (f.py:1)",
        ),
        ("a = 1\nb = {}['key']\n", "raised when it was imported: KeyError: 'key' (f.py:2)"),
        ("import sys\nsys.exit(3)\n", "raised when it was imported: SystemExit: 3 (f.py:2)"),
        ("def f(:\n", "raised when it was imported: SyntaxError: invalid syntax (f.py, line 1) (f.py:1)"),
        (GOOD + "    weight = 0\n", "no user in the locustfile has a weight above 0"),
    ],
)
def test_a_file_that_is_no_locustfile_is_refused_with_what_and_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "f.py"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        import_locustfile(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_another_file_than_the_planned_one_is_not_imported(tmp_path: Path) -> None:
    path = tmp_path / "f.py"
    path.write_text("raise SystemExit(9)\n")
    with pytest.raises(ConfigurationError, match="was changed after the run was planned"):
        import_locustfile(path, hashlib.sha256(b"what was planned").hexdigest())
    path.write_text(GOOD)
    assert [user.__name__ for user in import_locustfile(path, hashlib.sha256(GOOD.encode()).hexdigest()).users] == ["Asks"]


def test_the_environment_s_proxies_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    path = tmp_path / "f.py"
    path.write_text("import os\nSEEN = [name for name in os.environ if name.lower().endswith('_proxy')]\n" + GOOD)
    assert import_locustfile(path).module.SEEN == []


def _caused(outer: Exception, by: Exception) -> Exception:
    outer.__cause__ = by
    return outer


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.ConnectionError(_caused(Exception("retries"), ConnectionRefusedError())), ErrorKind.CONNECT_REFUSED),
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError()), ErrorKind.TLS_BAD_CERTIFICATE),
        (requests.exceptions.SSLError(ssl.SSLError()), ErrorKind.TLS_FAILED),
        (requests.ConnectTimeout(), ErrorKind.CONNECT_TIMEOUT),
        (requests.ReadTimeout(), ErrorKind.FIRST_BYTE_TIMEOUT),
        (requests.ConnectionError(http.client.RemoteDisconnected("gone")), ErrorKind.EOF_BEFORE_HEADERS),
        (requests.ConnectionError(ConnectionResetError()), ErrorKind.RESET),
        (requests.exceptions.ChunkedEncodingError(urllib3.exceptions.IncompleteRead(1, 2)), ErrorKind.TRUNCATED),
        (requests.exceptions.ContentDecodingError(), ErrorKind.CONTENT_ENCODING),
        (requests.TooManyRedirects(), ErrorKind.REDIRECT),
        (OSError(errno.EMFILE, "too many"), ErrorKind.TOO_MANY_FILES),
        (OSError(errno.EHOSTUNREACH, "no way"), ErrorKind.CONNECT_FAILED),
        (RuntimeError("a client of its own"), ErrorKind.CLIENT_FAILED),
        (requests.HTTPError("404"), None),
    ],
)
def test_an_exception_of_a_client_is_told_by_its_causes_not_by_its_words(error: Exception, kind: ErrorKind | None) -> None:
    assert kind_of(error) is kind


def _told(**changes: object) -> Told:
    usual: dict[str, object] = {
        "status_code": 200,
        "headers": {b"content-type": b"application/json"},
        "body": b'{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}',
        "events": None,
        "is_timed": False,
        "is_chat": True,
        "error": None,
        "marked": None,
        "unread": False,
        "started_ns": 0,
        "first_byte_ns": None,
        "ended_ns": S,
    }
    return Told(**(usual | changes))  # type: ignore[arg-type] # a test names only what it changes


def _stream(*payloads: bytes) -> EventStream:
    events = EventStream(MAX_BODY_BYTES)
    for number, payload in enumerate(payloads, start=1):
        events.feed(b"data: %b\n\n" % payload, number)
    return events


_TOKEN = b'{"choices":[{"delta":{"content":"x"}}]}'
_SSE = {b"content-type": b"text/event-stream"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (_told(), "answered"),
        (_told(body=b"<html>"), "bad_json"),
        (_told(body=b"<html>", is_chat=False), "answered"),
        (_told(status_code=404), "status_4xx"),
        (_told(status_code=404, marked=True), "answered"),
        (_told(marked=False), "marked_failed"),
        (_told(status_code=None, error=ConnectionRefusedError()), "connect_refused"),
        (_told(status_code=None), "client_failed"),
        (_told(status_code=None, error=OSError(errno.EMFILE, "")), "too_many_files"),
        (_told(error=requests.ReadTimeout()), "body_timeout"),
        (_told(ended_ns=3 * S), "body_timeout"),
        (_told(headers=_SSE, events=_stream(_TOKEN, _TOKEN, b"[DONE]"), is_timed=True), "answered"),
        (_told(headers=_SSE, events=_stream(_TOKEN), is_timed=True), "no_done"),
        (_told(headers=_SSE, events=_stream(_TOKEN), is_timed=True, unread=True), "left_unread"),
        (_told(headers=_SSE, events=_stream(_TOKEN, b"[DONE]"), is_timed=True, unread=True), "answered"),
        (_told(headers=_SSE, events=_stream(_TOKEN, b'{"error":{"code":1}}'), is_timed=True), "error_event"),
    ],
)
def test_what_a_client_tells_is_judged_as_our_own_answers_are(told: Told, expected: str) -> None:
    outcome = outcome_of(told, Reading(Signals()), timeout_ns=2 * S)
    assert (outcome.error_kind or outcome.result).value == expected


def test_moments_that_a_buffer_has_blurred_are_not_told() -> None:
    blurred = _told(headers=_SSE, events=_stream(_TOKEN, _TOKEN, b"[DONE]"))
    outcome = outcome_of(blurred, Reading(Signals()), timeout_ns=2 * S)
    assert (outcome.first_content_ns, outcome.last_content_ns, outcome.gap_max_ns) == (None, None, None)
    assert outcome.chunks == 2


class _Often(HttpUser):
    weight = 3
    tasks = [lambda _: None]  # noqa: RUF012 - as Locust has it


class _Seldom(User):
    @task
    def ask(self) -> None:
        """Ask."""


class _Two(User):
    fixed_count = 2
    tasks = [lambda _: None]  # noqa: RUF012 - as Locust has it


def test_users_are_dealt_by_weight_and_the_same_each_time() -> None:
    cast = Cast((_Often, _Seldom), seed=4)
    dealt = [cast.choose(number) for number in range(4000)]
    assert dealt == [Cast((_Often, _Seldom), seed=4).choose(number) for number in range(4000)]
    assert dealt != [Cast((_Often, _Seldom), seed=5).choose(number) for number in range(4000)]
    assert 2850 < Counter(dealt)[_Often] < 3150


@pytest.mark.parametrize(
    ("users", "count", "expected"),
    [
        ((_Often, _Seldom), 8, {_Often: 6, _Seldom: 2}),
        ((_Often, _Seldom), 3, {_Often: 2, _Seldom: 1}),
        ((_Often, _Two), 5, {_Two: 2, _Often: 3}),
        ((_Two,), 5, {_Two: 2}),
        ((_Two, _Seldom), 1, {_Two: 1}),
    ],
)
def test_a_closed_loop_has_its_users_by_weight_and_fixed_counts_first(
    users: tuple[type[User], ...], count: int, expected: dict[type[User], int]
) -> None:
    assert Counter(spread(users, count)) == expected


HERE = ("127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::ffff:127.0.0.1")  # noqa: S104 - nothing is bound
ELSEWHERE = ("192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "fe80::1%eth0", "169.254.1.1")


@pytest.mark.parametrize(("text", "here"), [*((text, True) for text in HERE), *((text, False) for text in ELSEWHERE)])
def test_this_machine_is_told_from_every_other(text: str, here: bool) -> None:
    assert is_here(text) is here
