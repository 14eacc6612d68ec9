"""Two network namespaces as two hosts: a cable between them, and nothing else."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest


def needs_network_namespaces() -> None:
    """Skip where namespaces cannot be made; in CI that is a failure, because then nothing shows that two hosts work."""
    why = None
    if os.geteuid() != 0:
        why = "network namespaces need root"
    elif shutil.which("ip") is None:
        why = "network namespaces need the `ip` command"
    elif subprocess.run(["ip", "netns", "add", f"hs-can-{os.getpid()}"], capture_output=True, check=False).returncode:
        why = "`ip netns add` does not work here"
    else:
        subprocess.run(["ip", "netns", "del", f"hs-can-{os.getpid()}"], check=False)
    if why is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"not run: {why}")
    pytest.skip(why)


@dataclass(frozen=True)
class Host:
    name: str
    address: str

    def command(self, arguments: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *arguments]


@contextlib.contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Make two hosts with a network of their own; both are gone at the end."""
    number = os.getpid() % 250
    one, two = Host(f"hs-a-{os.getpid()}", f"10.213.{number}.1"), Host(f"hs-b-{os.getpid()}", f"10.213.{number}.2")
    cable = (f"hsa{os.getpid()}", f"hsb{os.getpid()}")
    try:
        for host in (one, two):
            _ip("netns", "add", host.name)
        _ip("link", "add", cable[0], "type", "veth", "peer", "name", cable[1])
        for host, end in zip((one, two), cable, strict=True):
            _ip("link", "set", end, "netns", host.name)
            _ip("-n", host.name, "addr", "add", f"{host.address}/24", "dev", end)
            _ip("-n", host.name, "link", "set", end, "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
        yield one, two
    finally:
        for host in (one, two):
            subprocess.run(["ip", "netns", "del", host.name], capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
