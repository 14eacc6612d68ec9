"""`harness worker`: a load worker for a run that is led from another machine."""

import os
import sys
from pathlib import Path

import click

from harness.cli.distribution import TOKEN_VARIABLE, read_token, split_address
from harness.errors import ConfigurationError
from harness.model.units import parse_duration_ns


@click.command("worker")
@click.option("--master", required=True, metavar="HOST:PORT", help="Where `harness run --expect-workers` listens.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    required=True,
    metavar="URL",
    help="The only targets it may load; http://HOST:* is any port.",
)
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help=f"The run's token; else ${TOKEN_VARIABLE}.")
@click.option("--max-wait", default="60s", show_default=True, help="How long to wait for the master.")
def command(master: str, targets: tuple[str, ...], token_file: Path | None, max_wait: str) -> int:
    """Send a part of the load of a run that another machine leads, then end.

    \b
    HARNESS_WORKER_TOKEN=... harness worker --master 10.0.0.5:5557 --target http://gateway:4000
    """
    from urllib.parse import urlsplit

    host, port = split_address(master, "--master")
    for target in targets:
        parts = urlsplit(target.removesuffix(":*"))
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise ConfigurationError(f"--target {target!r}: write http://HOST:PORT, as the run's target is written")
    try:
        max_wait_s = parse_duration_ns(max_wait) / 1e9
    except ValueError as error:
        raise ConfigurationError(f"--max-wait: {error}") from error
    token = read_token(token_file)
    if token is None:
        raise ConfigurationError(
            f"no token: set {TOKEN_VARIABLE} or give --token-file", advice="the same one as `harness run --expect-workers` has"
        )
    arguments = [sys.executable, "-m", "harness.load", "join", "--master", f"{host}:{port}", "--max-wait-s", str(max_wait_s)]
    for target in targets:
        arguments += ["--target", target]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    # It takes the place of this process, so that a signal to the worker reaches the worker.
    os.execve(sys.executable, arguments, {**environment, TOKEN_VARIABLE: token})  # noqa: S606 - no shell, a list of arguments
