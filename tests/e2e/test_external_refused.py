"""What is wrong with a target is said before the first fault, and nothing is sent to where nobody pointed."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, ExitCode, HarnessError, StackError
from harness.model.target import Needs
from harness.target.description import read_description
from harness.target.external import ExternalTarget

KEY = "sk-the-secret-of-this-test"


class _Service(BaseHTTPRequestHandler):
    """A service that answers every request in one way."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.seen.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]
        status, headers, body = self.server.answers.get(self.command, self.server.answers["*"])  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextlib.contextmanager
def _service(*answer: object, **by_method: object) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.seen = []  # type: ignore[attr-defined]
    server.answers = {"*": answer, **by_method}  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _start(tmp_path: Path, url: str, more: str = "", allowed: tuple[str, ...] = ()) -> HarnessError:
    path = tmp_path / "target.yaml"
    path.write_text(f'name: stub\nbase_url: {url}\nprincipals: {{a: {{key: "${{env:K}}"}}}}\n{more}')
    target = ExternalTarget(
        read_description(path), state_directory=tmp_path / "state", environment={"K": KEY}, allowed_hosts=allowed
    )
    with pytest.raises(HarnessError) as caught:
        target.start(Needs(principals=1), tmp_path / "logs")
    assert list((tmp_path / "state").iterdir()) == []
    assert KEY not in str(caught.value)
    return caught.value


def _url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        ((200, {"content-type": "text/html"}, b"<!doctype html><h1>Hi</h1>"), ConfigurationError, "answers with HTML"),
        ((401, JSON, json.dumps({"detail": f"bad key {KEY}"}).encode()), ConfigurationError, "refuses our key with 401"),
        ((404, JSON, b'{"detail": "Not Found"}'), ConfigurationError, "was answered with 404"),
        ((429, JSON, b"{}"), StackError, "limits the harness itself: 429 to the very first request"),
        ((500, JSON, b"{}"), StackError, "gave no good answer (status 500"),
        ((200, JSON, b'{"hello": "world"}'), StackError, "bad shape"),
        ((400, {"content-type": "text/html"}, b"The plain HTTP request was sent to HTTPS port"), ConfigurationError, "HTML"),
    ],
    ids=["html", "wrong key", "not there", "429 to everything", "broken", "another shape", "tls behind nginx"],
)
def test_a_first_answer_that_is_no_answer_ends_the_run_there(
    tmp_path: Path, answer: tuple[object, ...], kind: type[HarnessError], sentence: str
) -> None:
    with _service(*answer) as server:
        error = _start(tmp_path, _url(server))
    assert isinstance(error, kind)
    assert sentence in str(error)
    assert error.advice
    assert server.seen == ["POST /v1/chat/completions"]  # type: ignore[attr-defined]


def test_a_redirect_is_told_and_never_followed(tmp_path: Path) -> None:
    with _service(200, JSON, b"{}") as elsewhere:
        with _service(307, {"location": f"{_url(elsewhere)}/v1/chat/completions"}, b"") as server:
            error = _start(tmp_path, _url(server))
        assert elsewhere.seen == []  # type: ignore[attr-defined]
    assert error.exit_code is ExitCode.CONFIGURATION
    assert f"redirects to {_url(elsewhere)}" in str(error)


def test_nobody_there_is_told_by_its_address(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = _start(tmp_path, f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert "was not answered" in str(error)
    assert "is it up, and is this its address?" in str(error)


def test_a_service_that_is_unhealthy_already_gets_no_request(tmp_path: Path) -> None:
    with _service(503, JSON, b"{}") as server:
        error = _start(tmp_path, _url(server), "health: {get: /ready}\n")
    assert "is unhealthy before anything was done to it: GET /ready says 503" in str(error)
    assert server.seen == ["GET /ready"]  # type: ignore[attr-defined]


def test_what_speaks_no_http_is_taken_for_tls(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def alert() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

        thread = threading.Thread(target=alert)
        thread.start()
        error = _start(tmp_path, f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert "does it want TLS?" in str(error)


def test_an_address_off_this_machine_is_not_even_connected_to(tmp_path: Path) -> None:
    limits = "limits: {rate_rps: 1, concurrency: 1, requests: 10}\n"
    error = _start(tmp_path, "http://203.0.113.7:4000", limits)
    assert error.exit_code is ExitCode.CONFIGURATION
    assert "203.0.113.7 is not this machine (203.0.113.7): nothing is sent there" in str(error)
    assert "--allow 203.0.113.7" in str(error)


def test_allowing_one_host_allows_no_other(tmp_path: Path) -> None:
    limits = "limits: {rate_rps: 1, concurrency: 1, requests: 10}\n"
    error = _start(tmp_path, "http://203.0.113.7:4000", limits, allowed=("203.0.113.8",))
    assert "nothing is sent there" in str(error)


def test_the_environment_s_proxy_is_never_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _service(200, JSON, b"{}") as proxy, _service(500, JSON, b"{}") as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, _url(proxy))
        _start(tmp_path, _url(server), "health: {get: /health}\n")
    assert proxy.seen == []  # type: ignore[attr-defined]
    assert server.seen == ["GET /health"]  # type: ignore[attr-defined]


def test_a_variable_that_is_not_set_is_told_with_its_place_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text('name: stub\nbase_url: http://127.0.0.1:1\nprincipals: {a: {key: "${env:NOBODY_SET_THIS}"}}\n')
    with pytest.raises(ConfigurationError, match=r"target.yaml:3:23: \$\{env:NOBODY_SET_THIS\}: the environment has no variable"):
        ExternalTarget(read_description(path), environment={}).start(Needs(principals=1), tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_a_service_that_does_not_call_the_simulated_provider_is_told_apart(tmp_path: Path) -> None:
    answer = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}]}
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with _service(200, JSON, json.dumps(answer).encode()) as server:
        more = f'provider: {{endpoints: {{primary: {{listen: "127.0.0.1:{port}"}}}}}}\n'
        error = _start(tmp_path, _url(server), more)
    assert "answered without calling the simulated provider" in str(error)


def test_what_a_service_said_that_did_not_start_can_be_read_where_the_message_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from harness.cli.main import main

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("K", KEY)
    command = 'command: [sh, -c, "echo no database; echo $KEY; exit 3"], env: {KEY: "${env:K}"}'
    path = tmp_path / "target.yaml"
    path.write_text(
        "name: stub\nbase_url: 'http://127.0.0.1:${port}'\nprincipals: {a: {key: '${env:K}'}}\n"
        f"start: {{{command}, ready: {{get: /health, within: 20s}}}}\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(["try", "--target", str(path)])
    said = capsys.readouterr().err
    assert ended.value.code == ExitCode.COULD_NOT_RUN
    log = Path(said.partition("it said last (")[2].partition(")")[0])
    assert "no database" in log.read_text()
    assert KEY not in log.read_text()
