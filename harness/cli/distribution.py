"""The options that bring load workers together, in the words of `run` and `worker`."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.errors import ConfigurationError
from harness.model.units import parse_duration_ns

if TYPE_CHECKING:
    from harness.model.plan import Plan
    from harness.run.load_process import Gathering

F = TypeVar("F", bound=Callable[..., Any])
TOKEN_VARIABLE = "HARNESS_WORKER_TOKEN"  # noqa: S105 - the name of a variable, not its value
LEAST_TOKEN = 16


def distribution_options(function: F) -> F:
    """Add the options that bring workers from elsewhere together, and Locust's page to watch them."""
    file = click.Path(path_type=Path, dir_okay=False)
    options = [
        click.option("--expect-workers", default=0, type=click.IntRange(0, 64), help="Wait for so many `harness worker`."),
        click.option("--bind", metavar="HOST:PORT", help="Where they come to; 127.0.0.1 and any port unless told otherwise."),
        click.option("--max-wait", default="60s", show_default=True, help="How long to wait for them."),
        click.option("--token-file", type=file, help=f"What they prove themselves with; else ${TOKEN_VARIABLE}."),
        click.option("--self-check", is_flag=True, help="First measure for two seconds what rate this machine can carry."),
        click.option("--web", is_flag=True, help="Show Locust's page on 127.0.0.1, to watch only."),
        click.option("--web-port", default=8089, show_default=True, type=click.IntRange(1, 65_535), help="Its port."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def read_token(token_file: Path | None) -> str | None:
    """Return the token of a file, else of the environment, else None. Raises ConfigurationError on one that is too short."""
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"--token-file {token_file}: {error}") from error
    else:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            return None
    if len(token) < LEAST_TOKEN:
        raise ConfigurationError(
            f"the workers' token has {len(token)} characters; give it at least {LEAST_TOKEN}", advice="openssl rand -hex 32"
        )
    return token


def split_address(text: str, option: str) -> tuple[str, int]:
    """Return the host and port of `HOST:PORT`. Raises ConfigurationError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 <= int(port) < 65_536:
        raise ConfigurationError(f"{option} {text!r}: write HOST:PORT, e.g. 10.0.0.5:5557")
    return host, int(port)


def gathering_of(expect: int, bind: str | None, max_wait: str, token_file: Path | None, web_port: int | None) -> "Gathering":
    """Return how the workers of a run come together, from the options of `harness run`. Raises ConfigurationError."""
    from harness.run.load_process import Gathering

    try:
        max_wait_s = parse_duration_ns(max_wait) / 1e9
    except ValueError as error:
        raise ConfigurationError(f"--max-wait: {error}") from error
    if bind is not None and not expect:
        raise ConfigurationError("--bind is for workers from elsewhere: give --expect-workers N with it")
    host, port = split_address(bind, "--bind") if bind is not None else ("127.0.0.1", 0)
    token = read_token(token_file)
    if expect and token is None:
        raise ConfigurationError(
            f"--expect-workers needs a token that workers prove themselves with: set {TOKEN_VARIABLE} or give --token-file",
            advice="openssl rand -hex 32; the keys of the target travel under it",
        )
    return Gathering(expect=expect, bind_host=host, bind_port=port, max_wait_s=max_wait_s, token=token, web_port=web_port)


def say_what_is_carried(plans: "Sequence[Plan]", workers: int) -> None:
    """Measure the engine for two seconds; say what it carries, and whether the plans ask for more. Raises LoadError."""
    from harness.arrivals import peak_rps
    from harness.run.self_check import self_check

    peak = max(peak_rps(segment) for plan in plans for segment in plan.load.segments)
    click.echo(self_check(workers).sentence(peak), err=True)
