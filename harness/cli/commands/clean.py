"""`harness clean`: remove what a killed run left behind."""

import click


@click.command("clean")
def command() -> int:
    """Heal faults and end processes of runs whose control process is gone; never touches a run that lives."""
    from harness.faults import heal_leftovers
    from harness.target.containers import clean_containers
    from harness.target.supervise import clean_leftovers, default_state_directory

    directory = default_state_directory()
    done = [*heal_leftovers(directory), *clean_leftovers(directory), *clean_containers()]
    for line in done:
        click.echo(line)
    if not done:
        click.echo("nothing was left behind")
    return 0
