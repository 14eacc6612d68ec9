"""`harness serve`: the embedded stack alone, for exploring by hand."""

import os
import tempfile
import time
from pathlib import Path

import click

from harness.cli.options import make_target


@click.command("serve")
@click.option("--users", default=3, type=click.IntRange(1, 1000), show_default=True, help="How many users get a key.")
@click.option("--for", "for_s", type=click.IntRange(1), help="Stop by itself after so many seconds.")
def command(users: int, for_s: int | None) -> int:
    """Start the embedded stack, print its URLs, a key and a first curl; Ctrl-C stops it."""
    from harness.errors import InterruptedRunError, StackError
    from harness.model.target import Needs
    from harness.run.exploring import exploring
    from harness.run.interruption import Interruption
    from harness.target.supervise import default_state_directory

    with tempfile.TemporaryDirectory(prefix="harness-serve-") as logs, Interruption() as interruption:
        running = None
        try:
            click.echo("starting the stack ...", err=True)
            running = make_target("embedded", 1).start(Needs(principals=users), Path(logs))
            name, key = next(iter(running.keys.items()))
            click.echo(f"service   {running.base_url}   (balanced; logs in {logs})")
            for instance in running.instances:
                click.echo(f"  {instance.name:<8}{instance.base_url}")
            for link in running.landscape.links.values():
                click.echo(f"link      {link.name}: {link.listen} -> {link.upstream}")
            click.echo(f"faults    {next(iter(running.landscape.links.values())).toxiproxy_url}   (speaks Toxiproxy's API)")
            click.echo(f"provider  {running.landscape.provider_control_url}/calls   (what the model really did)")
            click.echo(f"key       {key}   ({name}; valid for this stack only)")
            click.echo(
                f"\ncurl -s {running.base_url}/v1/chat/completions -H 'Authorization: Bearer {key}' \\\n"
                '  -H \'Content-Type: application/json\' -d \'{"model":"auto","messages":'
                '[{"role":"user","content":"What are your opening hours?"}]}\''
            )
            click.echo("\nbreak it from a second terminal: harness fault add redis latency latency=800 --for 30s", err=True)
            click.echo("Ctrl-C stops it.", err=True)
            until = None if for_s is None else time.monotonic() + for_s
            with exploring(running, f"serve-{os.getpid()}", default_state_directory()) as hand:
                while not hand.halted and (until is None or time.monotonic() < until):
                    broken = hand.ended_on_purpose()
                    if dead := [each for each in running.died() if each.name not in broken | hand.ended_on_purpose()]:
                        raise StackError(f"{dead[0].name} died: {' | '.join(dead[0].last_lines[-3:])}")
                    time.sleep(0.2)
        except InterruptedRunError:
            click.echo("stopping ...", err=True)  # asked for: a normal end
        finally:
            with interruption.shielded():
                if running is not None:
                    running.stop()
    return 0
