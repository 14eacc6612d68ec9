"""`harness proxy`: the embedded fault proxy, stand-alone."""

import os
import sys

import click


@click.command("proxy", context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
@click.pass_context
def command(ctx: click.Context) -> None:
    """Serve Toxiproxy's API for any Toxiproxy client: --host, --port, --seed."""
    os.execv(sys.executable, [sys.executable, "-m", "harness.faultproxy", *ctx.args])  # noqa: S606 - becomes that program
