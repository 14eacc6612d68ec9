"""`python -m reference_service.operations.rollout switch|canary|show --balancer DIR`: shifts traffic between two versions.

With `--balancer DIR`, sides are the slots `blue` and `green` of `reference_service.operations.balancer`: no request is
lost. With `--admin URL`, sides are HOST:PORT, told to a Caddy that is already in place; see `caddy_admin.py` for the price.
Ctrl-C and SIGTERM in the middle of a canary give everything back to the stable version.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from reference_service.errors import SettingsError
from reference_service.operations.canary import SLOWER, Patience
from reference_service.operations.counts import RolloutError
from reference_service.operations.tools import tools_for
from reference_service.operations.traffic import SlotBalancer, Traffic


class Interrupted(BaseException):
    """A signal came."""


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> int:
    """Run the program; 2 for wrong use, 5 where the balancer cannot be told."""
    parser = argparse.ArgumentParser(prog="rollout")
    parser.add_argument("what", choices=["switch", "canary", "show"])
    told = parser.add_mutually_exclusive_group(required=True)
    told.add_argument("--balancer", type=Path, help="the --directory of our balancer; sides are its slots, blue and green")
    told.add_argument("--admin", help="Caddy's admin API, http://127.0.0.1:2019; sides are HOST:PORT")
    parser.add_argument("--to", action="append", default=[], help="the side that gets everything; may be repeated")
    parser.add_argument("--stable")
    parser.add_argument("--candidate")
    parser.add_argument("--watch", type=float, default=60.0, help="seconds at each step")
    parser.add_argument("--least", type=int, default=20, help="requests that the candidate must have answered at each step")
    parser.add_argument("--slower", type=float, default=SLOWER, help="how many times the stable version's mean time is too slow")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds to wait for that many")
    o = parser.parse_args()
    if (o.what == "switch" and not o.to) or (o.what == "canary" and not (o.stable and o.candidate)):
        parser.error("switch needs --to; canary needs --stable and --candidate")
    try:
        traffic = _admin(o.admin) if o.admin else SlotBalancer(o.balancer)
        if o.what == "canary":
            return _canary(traffic, o)
        if o.what == "switch":
            for side in o.to:
                traffic.counts(side)  # nobody is sent to a side that does not answer
            traffic.shift(dict.fromkeys(o.to, 1))
        sys.stdout.write(json.dumps(traffic.weights()) + "\n")
    except RolloutError as error:
        _say(str(error))
        return 5
    return 0


def _admin(url: str) -> Traffic:
    from reference_service.operations.caddy_admin import AdminBalancer  # speaks by httpx, which the service's image lacks

    return AdminBalancer(url)


def _canary(traffic: Traffic, o: argparse.Namespace) -> int:
    try:
        tools = tools_for(os.environ)
    except SettingsError as error:
        _say(str(error))
        return 2
    patience = Patience(watch_s=o.watch, least=o.least, wait_s=o.patience, slower=o.slower)
    canary = tools.canary(traffic, o.stable, o.candidate, patience, _say)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return canary.run()
    except Interrupted as signalled:
        canary.take_back("interrupted")
        return 128 + int(str(signalled))


def _interrupt(number: int, _: FrameType | None) -> None:
    raise Interrupted(number)


if __name__ == "__main__":
    raise SystemExit(main())
