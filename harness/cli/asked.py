"""What `harness run` was asked to run: scenarios by name, or a bundle; and on what."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import make_stack, make_target
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    from harness.model.target import Target
    from harness.scenario.bundles import Bundled
    from harness.target.embedded.standing import StandingStack


def asked_rows(scenarios: Sequence[str], bundle: str | None, overrides: Sequence[str]) -> "tuple[Sequence[Bundled], bool]":
    """Return what to run, and whether it shares a stack. Raises ConfigurationError."""
    from harness.scenario import find_scenario, read_scenario
    from harness.scenario.bundles import Bundled, read_bundle

    if (bundle is None) == (not scenarios):
        raise ConfigurationError(
            "name one or more scenarios, or a --bundle, not both; `harness list scenarios` shows what there is"
        )
    if bundle is None:
        return [Bundled(file=read_scenario(find_scenario(name), overrides)) for name in scenarios], False
    if overrides:
        raise ConfigurationError("--set changes one scenario; a bundle says itself what it shortens")
    read = read_bundle(bundle)
    return read.rows, read.one_stack


def asked_target(
    name: str, seed: int, service: Sequence[str], *, shared: Path | None
) -> "tuple[StandingStack | None, Callable[[int], Target]]":
    """Return the stack that the runs share, if they do, and what each runs against, by its seed. Raises ConfigurationError.

    shared: the directory of the runs' own; None for a stack for each.
    """
    from harness.run.targets import settings_of

    stack = None if shared is None else make_stack(name, seed, shared)
    if stack is None:
        return None, lambda seeded: make_target(name, seeded, service)
    settings = settings_of(service)
    return stack, lambda _: stack.target(settings)
