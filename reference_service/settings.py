"""Every setting of the service, with the document's numbers as defaults; read from SERVICE_* variables.

Secrets may stand in a file, `SERVICE_DATABASE_URL_FILE=/run/secrets/database-url`, or in a manager (`secret_sources.py`).
A variable that starts with `SERVICE_` and is not known here is refused, with the nearest known name: a typo must not
switch a guard off.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from reference_service.errors import SettingsError
from reference_service.pricing import Price
from reference_service.secret_sources import SecretFile, SecretsManager, SecretSource

PREFIX = "SERVICE_"
SECRETS = frozenset({"database_url", "store_url", "provider_key", "encryption_keys", "webhook_secret", "secrets_token"})


class ModelPrice(BaseModel):
    """Dollars per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    input_usd_per_mtok: float = Field(ge=0)
    output_usd_per_mtok: float = Field(ge=0)


DEFAULT_PRICES = {
    "sim-large": ModelPrice(input_usd_per_mtok=3, output_usd_per_mtok=15),
    "sim-small": ModelPrice(input_usd_per_mtok=0.10, output_usd_per_mtok=0.10),
    "sim-cheap": ModelPrice(input_usd_per_mtok=0.02, output_usd_per_mtok=0.02),
    "sim-backup": ModelPrice(input_usd_per_mtok=1, output_usd_per_mtok=5),
}


class Settings(BaseModel):
    """The settings. Field `rate_limit` is variable `SERVICE_RATE_LIMIT`; prices are JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = "127.0.0.1:0"
    instance: str = "service"
    version: str = "dev"
    database_url: str = Field(default="", repr=False)
    store_url: str = Field(default="", repr=False)
    provider_primary_url: str = ""
    provider_secondary_url: str = ""
    provider_key: str = Field(default="", repr=False)
    encryption_keys: str = Field(default="", repr=False)
    secrets_url: str = ""
    secrets_token: str = Field(default="", repr=False)
    webhook_url: str = ""
    alert_webhook_url: str = ""
    webhook_secret: str = Field(default="", repr=False)
    fallback: bool = True
    flags: str = ""  # the file of feature flags; empty: none is on
    clock: str = ""  # the file that moves the wall clock of this process (`clock.py`); empty: the machine's own

    # a planted defect, for those who test the test; see reference_service/defects
    defect: str = ""
    under_test: str = ""

    # knowledge: workflows' folder (empty: the ones that come with the service), embeddings offline or by the provider
    workflows: str = ""
    embeddings: Literal["offline", "provider"] = "offline"
    embedding_model: str = "sim-embed"
    retrieval_timeout_s: float = Field(default=0.5, gt=0)

    # the document's limits
    rate_limit: int = Field(default=10, ge=1)
    rate_window_s: float = Field(default=60.0, gt=0)
    global_rate_limit: int = Field(default=1_000_000, ge=1)
    message_max_characters: int = Field(default=5000, ge=1)
    conversation_max_messages: int = Field(default=50, ge=1)
    body_max_bytes: int = Field(default=256 * 1024, ge=1)
    body_read_s: float = Field(default=5.0, gt=0)
    json_max_depth: int = Field(default=16, ge=2)
    cache_ttl_s: float = Field(default=3600.0, gt=0)
    cache_stale_s: float = Field(default=86400.0, ge=0)
    single_flight_wait_s: float = Field(default=3.0, ge=0)
    cache_memory_entries: int = Field(default=2000, ge=0)
    service_budget_usd: float = Field(default=50.0, ge=0)
    tenant_budget_usd: float | None = Field(default=None, ge=0)
    alert_from_ratio: float = Field(default=0.8, ge=0, le=1)
    cheap_from_ratio: float = Field(default=0.9, ge=0, le=1)
    faq_max_tokens: int = Field(default=100, ge=1)
    answer_max_tokens: int = Field(default=500, ge=1)
    answer_min_tokens: int = Field(default=16, ge=1)
    answer_max_bytes: int = Field(default=64 * 1024, ge=1)
    simple_complexity: float = Field(default=0.3, ge=0, le=1)

    # models
    large_model: str = "sim-large"
    small_model: str = "sim-small"
    cheap_model: str = "sim-cheap"
    backup_model: str = "sim-backup"
    prices: dict[str, ModelPrice] = Field(default_factory=lambda: dict(DEFAULT_PRICES))

    # time: 4.5 s for the user, of which the primary may use 1.5 s before the second model is asked
    deadline_s: float = Field(default=4.5, gt=0)
    connect_timeout_s: float = Field(default=1.0, gt=0)
    first_content_timeout_s: float = Field(default=1.5, gt=0)
    idle_timeout_s: float = Field(default=1.5, gt=0)
    stream_max_s: float = Field(default=30.0, gt=0)
    trickle_window_s: float = Field(default=1.0, gt=0)
    trickle_tokens: int = Field(default=5, ge=0)
    retries: int = Field(default=1, ge=0)
    retry_backoff_s: float = Field(default=0.1, gt=0)
    retry_budget_ratio: float = Field(default=0.1, ge=0)
    retry_budget_burst: int = Field(default=5, ge=0)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_window_s: float = Field(default=10.0, gt=0)
    breaker_ratio: float = Field(default=0.5, gt=0, le=1)
    breaker_min_calls: int = Field(default=10, ge=1)
    breaker_open_s: float = Field(default=2.0, gt=0)
    breaker_probes: int = Field(default=1, ge=1)
    breaker_successes: int = Field(default=2, ge=1)

    # stores
    store_timeout_s: float = Field(default=0.15, gt=0)
    database_pool_max: int = Field(default=20, ge=1)
    database_connect_timeout_s: float = Field(default=2.0, gt=0)
    database_idle_s: float = Field(default=30.0, gt=0)
    database_timeout_s: float = Field(default=0.5, gt=0)
    reserve_timeout_s: float = Field(default=1.0, gt=0)
    ready_timeout_s: float = Field(default=0.5, gt=0)
    guard_breaker_failures: int = Field(default=5, ge=1)
    guard_breaker_open_s: float = Field(default=1.0, gt=0)
    identity_cache_s: float = Field(default=15.0, ge=0)
    reservation_lease_s: float = Field(default=120.0, gt=0)

    drain_grace_s: float = Field(default=0.75, ge=0)  # the balancer looks every 250 ms, and believes the second answer
    drain_s: float = Field(default=3.5, gt=0)
    worker_poll_s: float = Field(default=0.2, gt=0)
    worker_lease_s: float = Field(default=15.0, gt=0)
    webhook_timeout_s: float = Field(default=3.0, gt=0)
    worker_concurrency: int = Field(default=8, ge=1)

    @field_validator("listen")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError("use HOST:PORT, such as 127.0.0.1:0")
        return value

    @field_validator("provider_primary_url", "provider_secondary_url", "webhook_url", "alert_webhook_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("use http://HOST:PORT/v1")
        return value.rstrip("/")

    @property
    def price_table(self) -> dict[str, Price]:
        """Return each model's price in nano-dollars a token."""
        return {name: Price.per_million(p.input_usd_per_mtok, p.output_usd_per_mtok) for name, p in self.prices.items()}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, needs: tuple[str, ...] = ()) -> "Settings":
        """Return the settings that the SERVICE_* variables of `environment` describe.

        needs: fields that may not be empty for this program.
        Raises SettingsError, naming every wrong variable; values of secrets are never shown.
        """
        values, problems = _collect(environment, tuple(cls.model_fields))
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            problems += [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in found]
        else:
            missing = [name for name in needs if not getattr(settings, name)]
            problems += [f"{PREFIX}{name.upper()} is not set; this program needs it" for name in missing]
        if problems:
            raise SettingsError("\n".join(problems))
        for role in ("large_model", "small_model", "cheap_model", "backup_model"):
            if getattr(settings, role) not in settings.prices:
                raise SettingsError(f"{PREFIX}{role.upper()}={getattr(settings, role)} has no price; add it to {PREFIX}PRICES")
        return settings


def _collect(environment: Mapping[str, str], fields: tuple[str, ...]) -> tuple[dict[str, object], list[str]]:
    """Return field values and problems; secrets are read from their files here."""
    known = {PREFIX + name.upper(): name for name in fields}
    files = {f"{PREFIX}{name.upper()}_FILE": name for name in SECRETS}
    values: dict[str, object] = {}
    problems: list[str] = []
    for variable, value in sorted(environment.items()):
        if variable in files:
            problems += _take(SecretFile(files[variable], variable, Path(value)), values)
        elif variable in known:
            if variable + "_FILE" in environment:
                problems.append(f"{variable} and {variable}_FILE are both set; keep one")
            values[known[variable]] = value
        elif variable.startswith(PREFIX):
            nearest = get_close_matches(variable, [*known, *files], n=1, cutoff=0.6)
            problems.append(f"{variable} is not a setting" + (f" (did you mean {nearest[0]}?)" if nearest else ""))
    if url := values.get("secrets_url"):
        problems += _take(SecretsManager(str(url), str(values.get("secrets_token", ""))), values)
    if isinstance(raw := values.get("prices"), str):
        try:
            values["prices"] = _json_object(raw)
        except ValueError:
            problems.append(f"{PREFIX}PRICES is not a JSON object")
    return values, problems


def _take(source: SecretSource, values: dict[str, object]) -> list[str]:
    """Add what a source keeps; return what is wrong with it."""
    try:
        kept = source.secrets()
    except SettingsError as error:
        return [str(error)]
    problems = [f"{PREFIX}{name.upper()} is kept in two places; keep one" for name in kept if name in values]
    problems += [
        f"{name}, in the secrets manager, is no secret of ours ({', '.join(sorted(SECRETS))})" for name in kept.keys() - SECRETS
    ]
    values.update({name: value for name, value in kept.items() if name in SECRETS})
    return problems


def _json_object(raw: str) -> dict[str, object]:
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
