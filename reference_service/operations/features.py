"""`python -m reference_service.operations.features --file F show|set NAME SHARE|kill NAME|revive NAME`: feature flags by hand.

Running instances read the file that SERVICE_FLAGS names with the next request. `set enhanced-rag 0.2` lets a fifth of the
users in, always the same ones; `kill` ends a feature for everybody and keeps its share for `revive`.
"""

import argparse
import json
import sys
from pathlib import Path

from reference_service.operations.flags import Flag, read_flags, write_flags


def changed(flags: dict[str, Flag], what: str, name: str, share: float | None) -> dict[str, Flag]:
    """Return the flags after one change. Raises ValueError."""
    if what == "set":
        if share is None or not 0 <= share <= 1:
            raise ValueError(f"set {name} needs a share from 0 to 1, such as 0.2")
        return {**flags, name: Flag(enabled=True, rollout=share)}
    if name not in flags:
        raise ValueError(f"there is no flag {name}; known: {', '.join(sorted(flags)) or 'none'}")
    return {**flags, name: Flag(enabled=what == "revive", rollout=flags[name].rollout)}


def main() -> int:
    """Run the program; 2 for wrong use or a file that cannot be read, 5 for one that cannot be written."""
    parser = argparse.ArgumentParser(prog="features")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("what", choices=["show", "set", "kill", "revive"])
    parser.add_argument("name", nargs="?")
    parser.add_argument("share", nargs="?", type=float)
    o = parser.parse_args()
    if o.what != "show" and o.name is None:
        parser.error(f"{o.what} needs the name of a flag")
    try:
        flags = read_flags(o.file) if o.file.exists() or o.what == "show" else {}
        if o.what != "show":
            flags = changed(flags, o.what, o.name, o.share)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{o.file}: {error}\n")
        return 2
    try:
        if o.what != "show":
            write_flags(o.file, flags)
    except OSError as error:
        sys.stderr.write(f"{o.file}: {error}\n")
        return 5
    sys.stdout.write(json.dumps({name: flag.model_dump() for name, flag in flags.items()}) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
