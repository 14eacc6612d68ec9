"""A backup that is too old to be kept, as the service's program writes them: laid down so that the next one throws it away."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BEYOND_RETENTION = timedelta(days=31)
"""The service promises that no backup is kept for more than 30 days."""


def lay_down(place: Path) -> Path:
    """Return the directory of a backup among `place`'s that calls itself 31 days old. Raises OSError."""
    made = datetime.now(UTC) - _BEYOND_RETENTION
    outdated = place / made.strftime("%Y%m%dT%H%M%SZ")
    outdated.mkdir(mode=0o700)
    manifest = {"schema": "service.backup/1", "at": made.isoformat(), "digests": {}}
    (outdated / "manifest.json").write_text(json.dumps(manifest), encoding="ascii")
    return outdated
