"""`harness doctor`: what this machine can and cannot run, and why."""

import json

import click


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(as_json: bool) -> int:
    """Look at what a run needs here: Python, the embedded servers, cores, disk, file descriptors, engine, images, compose."""
    from harness.cli.doctor_checks import findings

    found = findings()
    if as_json:
        click.echo(json.dumps([{"what": f.what, "ok": f.ok, "needed": f.needed, "found": f.found} for f in found], indent=1))
    else:
        for finding in found:
            mark = "ok  " if finding.ok else ("NO  " if finding.needed else "-   ")
            click.echo(f"{mark}{finding.what}: {finding.found}")
    return 5 if any(finding.needed and not finding.ok for finding in found) else 0
