"""Where secrets come from beside their variables: a file each, or a secrets manager. One small port.

Files are what Docker and Kubernetes mount. The manager is anything that speaks Vault's KV API (HashiCorp Vault, OpenBao):
SERVICE_SECRETS_URL is the address of one entry, such as `https://vault:8200/v1/secret/data/service`, whose keys are names
of settings (`database_url`); SERVICE_SECRETS_TOKEN, or its `_FILE`, opens it. It is asked once, at the start.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reference_service.errors import SettingsError

ANSWER_WITHIN_S = 5.0
MOST_BYTES = 256 * 1024


class SecretSource(Protocol):
    """A place that keeps secrets."""

    def secrets(self) -> Mapping[str, str]:
        """Return what it keeps, by setting. Raises SettingsError, showing none of them."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """One secret in a file of its own; `variable` is what named it."""

    setting: str
    variable: str
    path: Path

    def secrets(self) -> Mapping[str, str]:
        """Return the file's content without its last line break."""
        try:
            return {self.setting: self.path.read_text(encoding="utf-8").strip()}
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{self.variable}: cannot read {self.path}: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class SecretsManager:
    """One entry of a manager."""

    url: str
    token: str = field(repr=False)

    def secrets(self) -> Mapping[str, str]:
        """Return the entry's strings; a redirect is not followed, for the token would go with it."""
        if not self.url.startswith(("http://", "https://")):
            raise SettingsError("SERVICE_SECRETS_URL: use https://HOST:PORT/v1/MOUNT/data/NAME")
        asked = urllib.request.Request(self.url, headers={"X-Vault-Token": self.token})  # noqa: S310 - checked above
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
        try:
            with opener.open(asked, timeout=ANSWER_WITHIN_S) as answer:
                entry = json.loads(answer.read(MOST_BYTES))["data"]["data"]
        except urllib.error.HTTPError as error:
            error.close()
            hint = "; is SERVICE_SECRETS_TOKEN right, and may it read this?" if error.code in (401, 403) else ""
            raise SettingsError(f"SERVICE_SECRETS_URL: the manager says {error.code}{hint}") from error
        except OSError as error:
            raise SettingsError(f"SERVICE_SECRETS_URL: the manager does not answer: {type(error).__name__}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError("SERVICE_SECRETS_URL: this is no entry of a KV store, version 2; its path has /data/") from error
        if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
            raise SettingsError("SERVICE_SECRETS_URL: the entry's values must all be strings")
        return entry


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nowhere."""
