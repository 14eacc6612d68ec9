"""A service asked what it is: models, headers, health and errors, in a dozen requests. For `harness init --probe`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import StackError
from harness.target.external.caller import Answer, Caller

HEALTH_PATHS = (
    "/health/readiness", "/health/ready", "/readyz", "/ready", "/health", "/healthz", "/live", "/livez", "/health/liveness",
)  # fmt: skip
"""In this order: the first that is answered with 2xx is taken for readiness."""

_TELLING = {
    "fallback": ("fallback",),
    "cache": ("cache",),
    "cost": ("cost", "spend"),
    "degraded": ("degraded",),
    "version": ("version",),
}
_NO_SIGNAL = {"cache-control", "age", "vary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a service told of itself. headers: by signal, those of a chat answer whose name speaks of it.

    refused: status and error path without a key; not_found: questions without an answer, in words.
    """

    base_url: str
    models: Sequence[str] = ()
    health: str | None = None
    metrics: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    without_key: int | None = None
    error_path: str | None = None
    answered: bool = False
    chat_status: int | None = None
    not_found: Sequence[str] = ()


def ask_service(caller: Caller, key: str | None) -> Told:
    """Ask, at most 16 requests. Raises StackError where nothing at all is answered."""
    auth = {} if key is None else {"Authorization": f"Bearer {key}"}
    missing: list[str] = []
    models = _models(caller.get("/v1/models", headers=auth))  # the first one may raise: nothing is there
    if not models:
        missing.append("models: GET /v1/models lists none" + (" (no key was given: --key-env NAME)" if key is None else ""))
    health = next((path for path in HEALTH_PATHS if _ok(caller, path)), None)
    if health is None:
        missing.append(f"health: none of {', '.join(HEALTH_PATHS)} is answered with 2xx")
    metrics = "/metrics" if _ok(caller, "/metrics") else None
    if metrics is None:
        missing.append("metrics: no GET /metrics")
    body = {"model": models[0] if models else "auto", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
    refused = _post(caller, body, {})
    # A server's own error is no refusal: taken for one, it would hide every error of the service.
    without_key = refused.status if refused is not None and 400 <= refused.status < 500 else None
    if without_key is None:
        said = "is not refused" if refused is None or refused.status < 400 else f"gets {refused.status}, which is no refusal"
        missing.append(f"auth: a request without a key {said}")
    answer = _post(caller, body, auth) if key is not None else None
    headers = {} if answer is None else _headers(answer.headers)
    answered = answer is not None and 200 <= answer.status < 300
    if not answered:
        why = "no key was given: --key-env NAME" if answer is None else f"status {answer.status}"
        missing.append(f"an answer: POST /v1/chat/completions ({why}), so no header of one was seen")
    signals = () if not answered else ("fallback", "cache", "cost", "degraded")
    missing.extend(f"signals.{signal}: no header of the answer speaks of it" for signal in signals if signal not in headers)
    missing.append("budgets, principals, prices and limits: a service does not tell them")
    return Told(
        base_url=caller.origin + caller.base_path,
        models=models,
        health=health,
        metrics=metrics,
        headers=headers,
        without_key=without_key,
        error_path=None if refused is None else _error_path(refused.json()),
        answered=answered,
        chat_status=None if answer is None else answer.status,
        not_found=missing,
    )


def _ok(caller: Caller, path: str) -> bool:
    try:
        return 200 <= caller.get(path, timeout_s=3.0).status < 300
    except StackError:
        return False


def _post(caller: Caller, body: object, headers: Mapping[str, str]) -> Answer | None:
    try:
        return caller.post("/v1/chat/completions", body, headers=headers, timeout_s=30.0)
    except StackError:
        return None


def _models(answer: Answer) -> list[str]:
    document = answer.json()
    data = document.get("data") if isinstance(document, dict) else None
    rows = data if isinstance(data, list) else []
    return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row][:20]


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for signal, words in _TELLING.items():
        for name in headers:
            if name not in _NO_SIGNAL and any(word in name for word in words):
                found.setdefault(signal, name)
    return found


def _error_path(document: object) -> str | None:
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    if isinstance(error, dict):
        return next((f"$.error.{key}" for key in ("code", "type", "message") if isinstance(error.get(key), str)), None)
    return next((f"$.{key}" for key in ("error", "detail", "message") if isinstance(document.get(key), str)), None)


def quoted(text: str) -> str:
    """Return a text as YAML takes it, quoted."""
    return json.dumps(text, ensure_ascii=False)
