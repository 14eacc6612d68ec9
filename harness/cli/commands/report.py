"""`harness report`: one or many runs to one readiness document."""

import re
import shlex
import sys
from pathlib import Path

import click

from harness.cli.options import parse_labels
from harness.errors import ConfigurationError

_FILE = click.Path(path_type=Path, dir_okay=False)
_AGE = re.compile(r"(\d+(?:\.\d+)?)([hdw])")
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}


@click.command("report")
@click.argument("directories", nargs=-1, type=click.Path(path_type=Path, file_okay=False), metavar="DIR...")
@click.option("--release", metavar="V", help="Name of the release. Default: the version that the target told.")
@click.option("--format", "formats", help="html,json,md,junit,sarif,intoto; by default all, intoto with --sign only.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Default: readiness-RELEASE beside the first run.")
@click.option("--checklist", type=_FILE, help="A checklist of your own. Default: the 40 rows.")
@click.option("--attestations", type=_FILE, help="Who vouches for what no program can see, until when.")
@click.option("--waivers", type=_FILE, help="Which rows are set aside, and which runs superseded, by whom and why.")
@click.option("--history", type=_FILE, envvar="HARNESS_HISTORY", help="Counts attempts. Default: history.jsonl beside the runs.")
@click.option("--previous", type=_FILE, help="readiness.json of the last release, to show what changed.")
@click.option("--max-age", metavar="AGE", help="Older runs prove nothing: 14d, 36h, 2w.")
@click.option("--label", "labels", multiple=True, metavar="K=V", help="Kept with the document.")
@click.option("--sign", "key", type=_FILE, metavar="KEY", help="Sign with this Ed25519 private key (PEM).")
@click.option("--verify", "verifying", is_flag=True, help="Check a document (DIR), and the runs given after it; needs --key.")
@click.option("--key", "public_key", type=_FILE, help="With --verify: the public key that must have signed.")
@click.option("--json", "as_json", is_flag=True, help="Print readiness.json on standard output.")
def command(
    directories: tuple[Path, ...],
    release: str | None,
    formats: str | None,
    out: Path | None,
    checklist: Path | None,
    attestations: Path | None,
    waivers: Path | None,
    history: Path | None,
    previous: Path | None,
    max_age: str | None,
    labels: tuple[str, ...],
    key: Path | None,
    verifying: bool,
    public_key: Path | None,
    as_json: bool,
) -> int:
    """Merge runs into one readiness document: ready 0, not ready 1, not proven 3.

    DIR is a run, several that were asked for together, or a directory with runs in it.

    \b
    harness report reports --release 1.4.0
    harness report reports/provider-outage-* --release 1.4.0 --sign release.key
    harness report --verify reports/readiness-1.4.0 --key release.key.pub
    """
    given = directories or (Path("reports/latest"),)
    if verifying:
        return _verify(given, public_key or key)
    from harness.cli.release_text import print_release
    from harness.report.release import FORMATS
    from harness.run.release import ReleaseRequest, decide_release, default_release_out, write_release

    names = _formats(formats, list(FORMATS), signed=key is not None)
    request = ReleaseRequest(
        directories=given,
        release=release,
        checklist=checklist,
        attestations=attestations,
        waivers=waivers,
        history=history,
        previous=previous,
        max_age_days=_days(max_age),
        labels=parse_labels(labels),
        command=shlex.join(["harness", *sys.argv[1:]]),
    )
    material = decide_release(request)
    place = out or default_release_out(given, material.readiness.release)
    paths = write_release(material, place, names, key)
    if as_json:
        click.echo(material.document, nl=False)
    print_release(material.readiness, paths, sys.stderr)
    return material.readiness.exit_code


def _verify(directories: tuple[Path, ...], key: Path | None) -> int:
    from harness.readiness.signoff import find_document, verify
    from harness.report import visible

    document, *runs = directories
    findings = verify(find_document(document), key, runs)
    for finding in findings:
        click.echo(f"{'✓' if finding.holds else '✗'} {visible(finding.text)}", err=True)
    return 0 if all(finding.holds for finding in findings) else 1


def _formats(text: str | None, known: list[str], *, signed: bool) -> list[str]:
    if text is None:
        return [name for name in known if name != "intoto" or signed]
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise ConfigurationError(f"--format names no form; there is {', '.join(known)}")
    if signed and "intoto" not in names:
        names.append("intoto")
    return names


def _days(text: str | None) -> float | None:
    if text is None:
        return None
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"--max-age {text!r}: write a number and a unit: 36h, 14d, 2w")
    return float(match[1]) * _DAYS[match[2]]
