"""`harness init`: a first, commented description of one's own service."""

import json
import os
import sys
from pathlib import Path

import click

from harness.cli.options import allow_option
from harness.errors import ConfigurationError, StorageError


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--probe", metavar="URL", help="Ask the service there: models, headers, health, errors. A dozen small requests.")
@click.option("--key-env", metavar="NAME", help="The variable that holds a key for the service.")
@click.option("--no-questions", is_flag=True, help="Ask the person at the terminal nothing; elsewhere nobody is asked anyway.")
@allow_option
@click.option("--json", "as_json", is_flag=True, help="Print as JSON on standard output.")
def command(directory: Path, probe: str | None, key_env: str | None, no_questions: bool, as_json: bool) -> int:
    """Write DIRECTORY/target.yaml (here by default), a description of your own service to be completed by hand.

    At a terminal, and without --probe, it asks five questions first.

    \b
    harness init --probe http://127.0.0.1:4000 --key-env GATEWAY_KEY
    """
    from harness.cli.first_description import first_description
    from harness.target.description import read_description
    from harness.target.external.asking import ask_service
    from harness.target.external.caller import Caller

    path = directory / "target.yaml"
    if path.exists():
        raise ConfigurationError(f"{path} is there already", advice="name another directory, or take it away first")
    said = None
    if probe is None and not no_questions and sys.stdin.isatty() and sys.stderr.isatty():
        from harness.cli.init_questions import ask_questions

        said = ask_questions("http://127.0.0.1:4000", key_env)
        key_env = said.key_env
        probe = said.base_url if said.ask_it else None
    key = None
    if key_env is not None and (said is None or said.ask_it):
        key = os.environ.get(key_env)
        if not key:
            raise ConfigurationError(f"--key-env {key_env}: the environment has no such variable")
    context = click.get_current_context()
    told = None
    if probe is not None:
        told = ask_service(Caller(probe, tuple(context.meta.get("harness.allowed_hosts", ()))), key)
    text = first_description(told, key_env) if said is None else first_description(told, key_env, said=said)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    read_description(path)  # what we write, we must be able to read
    click.echo(f"wrote {path}", err=True)
    not_found = [] if told is None else list(told.not_found)
    for line in not_found:
        click.echo(f"  not found: {line}", err=True)
    click.echo(f"  next: edit it, then harness try --target {path}", err=True)
    if as_json:
        click.echo(json.dumps({"schema": "harness.init/1", "written": str(path), "not_found": not_found}, indent=1))
    return 0
