"""Makes the secrets of one compose project, each a file that only its containers see; those that are there stay."""

import secrets
import sys
from pathlib import Path


def main() -> None:
    """Write into the directory given."""
    place = Path(sys.argv[1])
    database, store, provider = (kept(place, name) for name in ("database-password", "store-password", "provider-key"))
    files = {
        "database-url": f"postgresql://gateway:{database}@toxiproxy:5432/postgres",
        "database-url-direct": f"postgresql://gateway:{database}@postgres:5432/postgres",
        "store-url": f"redis://:{store}@toxiproxy:6379/0",
        "provider-key": provider,
        "grafana-password": kept(place, "grafana-password"),
        "valkey.conf": f'requirepass {store}\nbind * -::*\nprotected-mode yes\nsave ""\nappendonly no\n',
    }
    for name, text in files.items():
        write(place / name, text)


def kept(place: Path, name: str) -> str:
    """Return the secret of a file, made where there is none yet."""
    path = place / name
    if not path.exists():
        write(path, secrets.token_hex(24))
    return path.read_text(encoding="ascii")


def write(path: Path, text: str) -> None:
    """Write a file that any user of a container with this volume may read, and nobody may change."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="ascii")
    part.chmod(0o444)  # the volume belongs to these containers alone
    part.replace(path)


if __name__ == "__main__":
    main()
