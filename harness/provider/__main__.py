"""`python -m harness.provider --endpoint primary=127.0.0.1:0 --control 127.0.0.1:0`: the provider alone."""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence

from harness.errors import ConfigurationError, HarnessError
from harness.provider.relay import RelayOrder
from harness.provider.server import Address, fastest_loop, serve

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return 0, 2 for bad usage or 5 where it cannot listen.

    Prints one line of JSON on stdout once it listens: `{"event": "ready", "control": ..., "endpoints": {...}}`.
    """
    arguments = _parser().parse_args(argv)
    try:
        endpoints = _endpoints(arguments.endpoint)
        control = _address(arguments.control, "--control")
        relay = RelayOrder.parse(sys.stdin.buffer.readline()) if arguments.relay else None
        if relay is not None and not relay.upstreams.keys() <= endpoints.keys():
            raise ConfigurationError("--relay: there are upstreams for endpoints that do not exist")
        with fastest_loop() as runner:
            runner.run(serve(endpoints=endpoints, control=control, seed=arguments.seed, ready=_announce, relay=relay))
    except HarnessError as error:
        sys.stderr.write("harness provider: " + str(error).replace("\n", ";") + "\n")
        return int(error.exit_code)
    return 0


def _announce(endpoints: Mapping[str, Address], control: Address) -> None:
    line = {
        "event": "ready",
        "control": str(control),
        "endpoints": {name: str(address) for name, address in endpoints.items()},
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="harness provider", description="The simulated provider, alone.", allow_abbrev=False)
    parser.add_argument(
        "--endpoint",
        action="append",
        metavar="NAME=HOST:PORT",
        help="an OpenAI-compatible endpoint; repeat for more; port 0 takes a free one (default: primary and secondary)",
    )
    parser.add_argument("--control", default="127.0.0.1:0", metavar="HOST:PORT", help="the port for faults, calls and meter")
    parser.add_argument("--seed", type=int, default=1, help="of answers, timing and faults")
    parser.add_argument(
        "--relay",
        action="store_true",
        help="stand before real providers, as one line of JSON on standard input says: "
        '{"token", "spend_cap_usd", "upstreams": {NAME: {"url", "key", "address"}}, "prices": {MODEL: ...}}',
    )
    return parser


def _endpoints(given: Sequence[str] | None) -> dict[str, Address]:
    endpoints: dict[str, Address] = {}
    for text in given or ("primary=127.0.0.1:0", "secondary=127.0.0.1:0"):
        name, equals, address = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ConfigurationError(f"--endpoint {text!r}; write NAME=HOST:PORT, for instance primary=127.0.0.1:0")
        if name in endpoints:
            raise ConfigurationError(f"--endpoint {name!r} is given twice")
        endpoints[name] = _address(address, f"--endpoint {name}")
    return endpoints


def _address(text: str, option: str) -> Address:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigurationError(f"{option} {text!r}; write HOST:PORT with a port of 0 to 65535")
    return Address(host=host, port=int(port))


if __name__ == "__main__":
    sys.exit(main())
