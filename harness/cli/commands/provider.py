"""`harness provider`: the simulated provider, stand-alone."""

import os
import sys

import click


@click.command("provider", context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
@click.pass_context
def command(ctx: click.Context) -> None:
    """Serve the simulated models: --endpoint NAME=HOST:PORT, --control HOST:PORT, --seed."""
    os.execv(sys.executable, [sys.executable, "-m", "harness.provider", *ctx.args])  # noqa: S606 - becomes that program
