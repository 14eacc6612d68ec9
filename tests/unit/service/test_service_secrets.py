"""Secrets from a manager: taken by name, never shown, and every way of not getting them is said."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from reference_service.errors import SettingsError
from reference_service.settings import Settings

TOKEN = "s.token-of-the-tests"
KEPT = {"database_url": "postgresql://u:hidden-word@db/x", "provider_key": "sk-hidden-key"}


class Vault(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Entry)
        self.answer: tuple[int, bytes] = (200, json.dumps({"data": {"data": KEPT}}).encode())
        self.tokens: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1/secret/data/service"


class Entry(http.server.BaseHTTPRequestHandler):
    server: Vault

    def do_GET(self) -> None:
        self.server.tokens.append(self.headers["x-vault-token"])
        status, body = self.server.answer if self.headers["x-vault-token"] == TOKEN else (403, b"{}")
        self.send_response(status)
        if status == 302:
            self.send_header("location", self.server.url + "/elsewhere")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def vault() -> Iterator[Vault]:
    with Vault() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def settings(vault: Vault, **more: str) -> Settings:
    return Settings.from_environment({"SERVICE_SECRETS_URL": vault.url, "SERVICE_SECRETS_TOKEN": TOKEN, **more})


def test_secrets_come_from_the_manager_by_their_names(vault: Vault):
    found = settings(vault)
    assert (found.database_url, found.provider_key) == (KEPT["database_url"], KEPT["provider_key"])
    assert "hidden" not in repr(found)
    assert TOKEN not in repr(found)


def test_a_token_may_stand_in_a_file(vault: Vault, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    found = Settings.from_environment({"SERVICE_SECRETS_URL": vault.url, "SERVICE_SECRETS_TOKEN_FILE": str(file)})
    assert found.provider_key == KEPT["provider_key"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, b""), "says 500"),
        ((302, b""), "says 302"),
        ((200, b"<html>"), "no entry of a KV store"),
        ((200, b'{"data": {"keys": []}}'), "no entry of a KV store"),
        ((200, b'{"data": {"data": {"database_url": 7}}}'), "must all be strings"),
        ((200, b'{"data": {"data": {"databse_url": "x"}}}'), "databse_url"),
        ((200, b'{"data": {"data": {"rate_limit": "9999"}}}'), "no secret of ours"),
    ],
)
def test_what_is_not_an_entry_is_refused_and_the_token_goes_nowhere_else(vault: Vault, answer: tuple[int, bytes], said: str):
    vault.answer = answer
    with pytest.raises(SettingsError, match=said) as refused:
        settings(vault)
    assert TOKEN not in str(refused.value)
    assert len(vault.tokens) == 1


def test_a_wrong_token_and_a_manager_that_is_away_are_said(vault: Vault):
    with pytest.raises(SettingsError, match="says 403; is SERVICE_SECRETS_TOKEN right"):
        settings(vault, SERVICE_SECRETS_TOKEN="wrong")
    for url, said in (("http://127.0.0.1:1/v1/x", "does not answer"), ("file:///etc/passwd", "use https://")):
        with pytest.raises(SettingsError, match=said):
            settings(vault, SERVICE_SECRETS_URL=url)


def test_a_secret_that_is_kept_twice_is_refused_without_being_shown(vault: Vault):
    with pytest.raises(SettingsError, match="SERVICE_PROVIDER_KEY is kept in two places") as refused:
        settings(vault, SERVICE_PROVIDER_KEY="sk-other-hidden")
    assert "hidden" not in str(refused.value)
