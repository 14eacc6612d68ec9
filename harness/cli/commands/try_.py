"""`harness try`: one request to a described target, and what each line of the description finds in it."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from harness.cli.options import allow_option, make_external
from harness.errors import ConfigurationError, StackError


@click.command("try")
@click.option("--target", required=True, metavar="FILE", help="The description of your service.")
@allow_option
@click.option("--stream", is_flag=True, help="Ask for a stream.")
@click.option("--seed", default=1, type=click.IntRange(0, 2**31 - 1), show_default=True, help="Of the simulated provider.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(target: str, stream: bool, seed: int, as_json: bool) -> int:
    """Send one request to the service that FILE describes; show the exchange (masked), its outcome, what each signal
    found, and the provider's calls that it caused.

    \b
    harness try --target my-gateway.yaml
    """
    from harness.cli.try_document import try_document
    from harness.cli.try_text import try_text
    from harness.model.target import Needs
    from harness.run.interruption import Interruption
    from harness.target.external.preflight import ask_once
    from harness.target.external.probe import objection

    if not Path(target).is_file():
        raise ConfigurationError(f"{target}: no such file; harness init writes a first one")
    external = make_external(target, seed, checked=False)
    if external.offer().locustfile is not None:
        raise ConfigurationError(
            f"{target}: what a locustfile asks is its own: there is no one request to try",
            advice="`harness run` tells what is wrong with the file before anything starts",
        )
    with _logs() as logs, Interruption() as interruption:
        running = None
        try:
            click.echo("starting ..." if external.description.document.start else "looking ...", err=True)
            running = external.start(Needs(principals=1, seed=seed), logs)
            found, calls = ask_once(running, external.offer(), streamed=stream)
            if as_json:
                click.echo(json.dumps(try_document(found, calls, external.offer(), running.site.mask), indent=1))
            else:
                click.echo(running.site.mask(try_text(found, calls, running, external.offer())))
            trouble = objection(found, running.caller, running.approach)
        finally:
            with interruption.shielded():
                if running is not None:
                    running.stop()
        if trouble is not None:
            raise trouble
    return 0


@contextmanager
def _logs() -> Iterator[Path]:
    """Hold a directory for what the target says; kept only where an error names a file in it."""
    path = Path(tempfile.mkdtemp(prefix="harness-try-"))
    keep = False
    try:
        yield path
    except StackError as error:
        keep = str(path) in error.message
        raise
    finally:
        if not keep:
            shutil.rmtree(path, ignore_errors=True)
