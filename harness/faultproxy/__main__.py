"""`python -m harness.faultproxy`: the embedded fault proxy, stand-alone."""

import argparse
import sys
from collections.abc import Sequence

from harness.errors import HarnessError

DEFAULT_PORT = 8474


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.faultproxy", description="A Toxiproxy-compatible fault proxy.")
    parser.add_argument("--host", default="127.0.0.1", help="where the API listens (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of the API, 0 for a free one (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything that is drawn (default: %(default)s)")
    options = parser.parse_args(arguments)
    from harness.faultproxy.process import run

    try:
        run(host=options.host, port=options.port, seed=options.seed)
    except HarnessError as error:
        sys.stderr.write(f"harness proxy: {error.message}{f'; {error.advice}' if error.advice else ''}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
