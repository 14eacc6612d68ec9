"""Targets by the name that people give them: one of the harness's own, or a file that describes theirs."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from harness.model.target import Target
    from harness.target.external import ExternalTarget

TARGETS = ("embedded", "containers", "compose")


def describes_target(name: str) -> bool:
    """Return whether a name is that of a file and not of one of the harness's own targets."""
    return name not in TARGETS and (name.endswith((".yaml", ".yml")) or "/" in name)


def described_target(name: str, seed: int, *, allow: Sequence[str] = (), checked: bool = True) -> "ExternalTarget":
    """Return the target that a file describes. allow: hosts beyond this machine that it may name.

    Raises ConfigurationError.
    """
    from harness.target.description import read_description
    from harness.target.external import ExternalTarget

    return ExternalTarget(read_description(Path(name)), allowed_hosts=tuple(allow), seed=seed, checked=checked)


def find_target(
    name: str, seed: int, *, service: Sequence[str] = (), allow: Sequence[str] = (), proxy: str | None = None
) -> "Target":
    """Return the target of that name. service: `fallback=off`, settings of the reference service.

    proxy: `toxiproxy` runs the embedded target's links through the server of that name on the PATH.
    Raises ConfigurationError.
    """
    if proxy is not None and name != "embedded":
        raise ConfigurationError(f"--proxy chooses the embedded target's fault proxy; --target {name} brings its own")
    if describes_target(name):
        if service:
            raise ConfigurationError("--service sets up the reference service; settings of your own belong to `start.env`")
        return described_target(name, seed, allow=allow)
    if name not in TARGETS and (installed := _installed(name, seed, service)) is not None:
        return installed
    if name not in TARGETS:
        raise ConfigurationError(
            f"--target {name!r} is not known; there is {', '.join(TARGETS)}, or a FILE.yaml{did_you_mean(name, TARGETS)}"
        )
    if name == "compose":
        if service:
            raise ConfigurationError("--service sets up a stack that the run starts; for compose set it in docker-compose.yaml")
        from harness.target.compose import ComposeTarget

        return ComposeTarget()
    settings = settings_of(service)
    if name == "containers":
        from harness.target.containers import ContainersTarget

        return ContainersTarget(service_settings=settings, seed=seed)
    from harness.target.embedded import EmbeddedTarget

    return EmbeddedTarget(service_settings=settings, seed=seed, toxiproxy=_toxiproxy() if proxy == "toxiproxy" else None)


def _installed(name: str, seed: int, service: Sequence[str]) -> "Target | None":
    """Return the target of that name that an installed package brings; None where none does. Raises ConfigurationError."""
    from harness.extensions.installed import installed, source_of

    point = installed("harness.targets").get(name)
    if point is None:
        return None
    where = f"entry point harness.targets:{name} of {source_of(point)}"
    if service:
        raise ConfigurationError(f"--service sets up the reference service, and {where} is another target")
    try:
        target: Target = point.load()(seed=seed)
        target.offer()
    except ConfigurationError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"{where}: {point.value} raised {type(error).__name__}: {error}",
            advice="it must be callable as make(seed=1) and return a Target, as harness/model/target.py has it",
        ) from error
    return target


def _toxiproxy() -> Path:
    found = shutil.which("toxiproxy-server")
    if found is None:
        raise ConfigurationError(
            "--proxy toxiproxy: there is no toxiproxy-server on the PATH",
            advice="install one (github.com/Shopify/toxiproxy/releases), or leave --proxy out: the embedded one does more",
        )
    return Path(found).resolve()


def settings_of(service: Sequence[str]) -> dict[str, str]:
    """Return `fallback=off` as the reference service's environment. Raises ConfigurationError."""
    settings: dict[str, str] = {}
    for text in service:
        setting, equals, value = text.partition("=")
        if not equals or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", setting) is None:
            raise ConfigurationError(f"--service {text!r}: write SETTING=VALUE, e.g. fallback=off")
        settings[f"SERVICE_{setting.upper()}"] = value
    return settings
