"""Where runs live on the user's machine."""

import datetime
import os
import secrets
from pathlib import Path


def new_run_id(scenario: str) -> str:
    """Return a name for a run: scenario, local time, and four digits that keep two apart."""
    now = datetime.datetime.now().astimezone()
    return f"{scenario}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def default_out(run_id: str) -> Path:
    """Return where a run goes when nobody says: `$HARNESS_OUT/RUN` or `reports/RUN` below the working directory."""
    return Path(os.environ.get("HARNESS_OUT") or "reports") / run_id


def point_latest(out: Path) -> None:
    """Let `latest` beside a run directory point at it; where links cannot be made there is none."""
    link = out.parent / "latest"
    temporary = out.parent / f".latest.{os.getpid()}"
    try:
        if link.exists() and not link.is_symlink():
            return  # somebody's own directory
        temporary.symlink_to(out.name)
        temporary.replace(link)
    except OSError:
        temporary.unlink(missing_ok=True)


def history_path(out: Path | None) -> Path:
    """Return where runs are remembered: `$HARNESS_HISTORY`, else `history.jsonl` beside the run's directory.

    out: what `--out` says, None for the default place.
    """
    told = os.environ.get("HARNESS_HISTORY")
    return Path(told) if told else (out or default_out("run")).parent / "history.jsonl"


def utc_now() -> str:
    """Return the moment, UTC, ISO 8601, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
