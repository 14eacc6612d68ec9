"""Leads a run on this host, for workers elsewhere: python load_lead.py DIRECTORY BASE_URL BIND EXPECT SECONDS RATE

`tests/` must be on the path.
"""

import os
import sys
from pathlib import Path

from load_fleet import fleet_run
from load_process import plan_for

from harness.errors import HarnessError
from harness.run.load_process import Gathering


def main() -> None:
    directory, base_url, bind, expect, seconds, rate = sys.argv[1:]
    host, _, port = bind.rpartition(":")
    gathering = Gathering(
        expect=int(expect), bind_host=host, bind_port=int(port), max_wait_s=20, token=os.environ["HARNESS_WORKER_TOKEN"]
    )
    plan = plan_for(seconds=float(seconds), rate_rps=float(rate))
    try:
        fleet_run(Path(directory), plan, base_url, workers=1, gathering=gathering, say=lambda text: None)
    except HarnessError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
