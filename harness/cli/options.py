"""What several commands ask for in the same words."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.model.target import Target

F = TypeVar("F", bound=Callable[..., Any])

TARGETS = ("embedded", "containers")


def scenario_options(function: F) -> F:
    """Add the options that decide a plan: target, seed, --set and --label."""
    options = [
        click.option(
            "--target", default="embedded", envvar="HARNESS_TARGET", show_default=True, help="What to test: embedded, containers."
        ),
        click.option(
            "--seed",
            default=1,
            type=click.IntRange(0, 2**31 - 1),
            envvar="HARNESS_SEED",
            show_default=True,
            help="Fixes arrivals and deals.",
        ),
        click.option(
            "--set", "overrides", multiple=True, metavar="PLACE=VALUE", help="Change the scenario: phases.outage.for=10s"
        ),
        click.option("--label", "labels", multiple=True, metavar="K=V", help="Kept with the verdict."),
        click.option("--service", multiple=True, metavar="SETTING=VALUE", help="A setting of the embedded service: fallback=off"),
        click.option("--workers", default=1, type=click.IntRange(1, 64), show_default=True, help="Load processes."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """Return `k=v` texts as a mapping. Raises ConfigurationError."""
    labels: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", key) is None:
            raise ConfigurationError(f"--label {text!r}: write NAME=VALUE, the name of letters, digits, '_', '.' and '-'")
        labels[key] = value
    return labels


def make_target(name: str, seed: int, service: Sequence[str] = ()) -> "Target":
    """Return the target that `--target` names. service: `fallback=off`, settings of the reference service.

    Raises ConfigurationError.
    """
    from harness.errors import did_you_mean

    if name not in TARGETS:
        raise ConfigurationError(f"--target {name!r} is not known; there is {', '.join(TARGETS)}{did_you_mean(name, TARGETS)}")
    settings: dict[str, str] = {}
    for text in service:
        setting, equals, value = text.partition("=")
        if not equals or re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", setting) is None:
            raise ConfigurationError(f"--service {text!r}: write SETTING=VALUE, e.g. fallback=off")
        settings[f"SERVICE_{setting.upper()}"] = value
    if name == "containers":
        from harness.target.containers import ContainersTarget

        return ContainersTarget(service_settings=settings, seed=seed)
    from harness.target.embedded import EmbeddedTarget

    return EmbeddedTarget(service_settings=settings, seed=seed)
