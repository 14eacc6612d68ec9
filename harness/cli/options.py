"""What several commands ask for in the same words."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.model.target import Target
    from harness.target.embedded.standing import StandingStack
    from harness.target.external import ExternalTarget

F = TypeVar("F", bound=Callable[..., Any])


def allow_option(function: F) -> F:
    """Add --allow; `make_external` finds what was given."""
    decorate: Callable[[F], F] = click.option(
        "--allow",
        multiple=True,
        metavar="HOST",
        expose_value=False,
        callback=_keep_allowed,
        help="A host beyond this machine that the target's FILE may name.",
    )
    return decorate(function)


def scenario_options(function: F) -> F:
    """Add the options that decide a plan: target, seed, --set and --label."""
    options = [
        click.option(
            "--target",
            default="embedded",
            envvar="HARNESS_TARGET",
            show_default=True,
            help="What to test: embedded, containers, compose, or a FILE that describes your own service.",
        ),
        allow_option,
        click.option(
            "--proxy",
            type=click.Choice(["embedded", "toxiproxy"]),
            expose_value=False,
            callback=_keep_proxy,
            help="What the embedded target's links run through: its own fault proxy, or the toxiproxy-server on the PATH.",
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


def live_options(function: F) -> F:
    """Add --live and --live-port."""
    shown = click.option("--live", is_flag=True, help="Show the run on a page of 127.0.0.1 too; its faults can be cleared there.")
    port = click.option(
        "--live-port", default=0, type=click.IntRange(0, 65_535), show_default=True, help="Its port; 0 takes a free one."
    )
    decorated: F = shown(port(function))
    return decorated


def _keep_allowed(context: click.Context, _: click.Parameter, hosts: tuple[str, ...]) -> None:
    context.meta["harness.allowed_hosts"] = hosts  # typed by a person for this very command, so it stays with the command


def _keep_proxy(context: click.Context, _: click.Parameter, proxy: str | None) -> None:
    context.meta["harness.proxy"] = proxy


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """Return `k=v` texts as a mapping. Raises ConfigurationError."""
    labels: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or re.fullmatch(r"[A-Za-z0-9_.-]{1,63}", key) is None:
            raise ConfigurationError(f"--label {text!r}: write NAME=VALUE, the name of letters, digits, '_', '.' and '-'")
        labels[key] = value
    return labels


def make_external(name: str, seed: int, *, checked: bool = True) -> "ExternalTarget":
    """Return the target that a file describes, with the hosts that this command allows. Raises ConfigurationError."""
    from harness.run.targets import described_target

    return described_target(name, seed, allow=_allowed_hosts(), checked=checked)


def make_target(name: str, seed: int, service: Sequence[str] = ()) -> "Target":
    """Return the target that `--target` names, with the hosts that this command allows. Raises ConfigurationError."""
    from harness.run.targets import find_target

    return find_target(name, seed, service=service, allow=_allowed_hosts(), proxy=_chosen_proxy())


def make_stack(name: str, seed: int, parent: Path) -> "StandingStack | None":
    """Return a stack that several runs on `--target` can share, None where it has none. parent: as of `one_stack`."""
    from harness.run.one_stack import one_stack

    return one_stack(name, seed, parent, proxy=_chosen_proxy())


def _allowed_hosts() -> tuple[str, ...]:
    context = click.get_current_context(silent=True)
    return () if context is None else tuple(context.meta.get("harness.allowed_hosts", ()))


def _chosen_proxy() -> str | None:
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get("harness.proxy")
