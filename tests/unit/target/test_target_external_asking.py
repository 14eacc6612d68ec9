"""What a service tells when it is asked: a refusal is one only where it is the caller's fault."""

import json
from collections.abc import Mapping

import pytest

from harness.target.external.asking import ask_service
from harness.target.external.caller import Answer, Caller


class _Told(Caller):
    """A service that answers a request without a key in one way, and everything else well."""

    def __init__(self, without_key: int) -> None:
        self.host_header, self.base_path = "127.0.0.1:1", ""
        self._without_key = without_key

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, timeout_s: float
    ) -> Answer:
        del path, body, timeout_s
        status = self._without_key if method == "POST" and "Authorization" not in (headers or {}) else 200
        told = {"error": {"code": "c"}} if status >= 400 else {"data": [{"id": "gpt"}]}
        return Answer(status=status, headers={}, body=json.dumps(told).encode())


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_without_a_key_is_one(status: int) -> None:
    told = ask_service(_Told(status), "sk-mine")
    assert told.without_key == status
    assert not any(line.startswith("auth:") for line in told.not_found)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(500, "auth: a request without a key gets 500, which is no refusal"), (200, "auth: a request without a key is not refused")],
)
def test_anything_else_is_none_and_is_said(status: int, sentence: str) -> None:
    told = ask_service(_Told(status), "sk-mine")
    assert told.without_key is None
    assert sentence in told.not_found
