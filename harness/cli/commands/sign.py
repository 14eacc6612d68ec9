"""`harness sign`: record who decided on a release, on what digest."""

from pathlib import Path

import click

from harness.errors import ConfigurationError

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("sign")
@click.argument("report", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--as", "name", metavar="NAME", help="Who decides; one of the checklist's signers where it names any.")
@click.option("--decision", type=click.Choice(["go", "no-go"]), help="What was decided.")
@click.option("--reason", metavar="TEXT", help="Why, for those who read it later.")
@click.option("--key", type=_FILE, help="Sign the record with this Ed25519 private key (PEM).")
@click.option("--new-key", type=_FILE, metavar="FILE", help="Make a key instead: FILE (private) and FILE.pub.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON on standard output.")
def command(
    report: Path | None,
    name: str | None,
    decision: str | None,
    reason: str | None,
    key: Path | None,
    new_key: Path | None,
    as_json: bool,
) -> int:
    """Record a decision on REPORT (readiness.json, or its directory) in a file beside it.

    \b
    harness sign reports/readiness-1.4.0 --as "Kim Release" --decision go --reason "all rows settled"
    """
    if new_key is not None:
        from harness.readiness import dsse

        made = dsse.new_key(new_key)
        click.echo(f"key {made[:16]}: {new_key} (keep it secret) and {new_key}.pub (give it to whoever verifies)", err=True)
        return 0
    if report is None or name is None or decision is None or reason is None:
        raise ConfigurationError(
            "say what is signed, by whom, how and why: harness sign REPORT --as NAME --decision go|no-go --reason TEXT"
        )
    from harness.model.readiness import Decision
    from harness.readiness.signoff import find_document, sign_off
    from harness.report import visible
    from harness.run.places import utc_now
    from harness.rundir import codec

    record = sign_off(find_document(report), name=name, decision=decision, reason=reason, at=utc_now(), key=key)
    if as_json:
        click.echo(codec.to_pretty_json(record), nl=False)
    said = f"{record.decision} by {record.name} for release {record.release}, on {record.digest[:16]}"
    click.echo(visible(said), err=True)
    if record.decision == "go" and record.evidence_says is not Decision.READY:
        click.echo(f"note: the evidence says {record.evidence_says.value}; the record says so too", err=True)
    return 0
