"""Starts the reference service as anybody's service is started: its stores from the wheels, two instances, a balancer.

Environment: PORTS (front, PostgreSQL, Valkey, instance a, instance b), LINKS (what the service reaches instead: PostgreSQL,
Valkey, primary and secondary provider, each HOST:PORT), DATABASE_PASSWORD, STORE_PASSWORD, and PIDS, a folder: NAME.pid says
where each process is, and a file NAME.again asks for one that has ended to be started again. Ends with SIGTERM, and
everything with it.
"""

import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from harness.model.target import Link
from harness.target.embedded import balancer, postgres, programs, valkey
from harness.target.embedded.credentials import Credentials
from harness.target.embedded.ground import stand_service
from harness.target.embedded.site import Site
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor
from harness.target.together import Together


class FixedPorts(Site):
    """A site whose parts listen where the description says."""

    def __init__(self, supervisor: Supervisor, *, logs: Path, mask: Mask) -> None:
        super().__init__(supervisor, logs=logs, mask=mask)
        self._meant = threading.local()

    def at(self, port: int, start: Callable[[], str]) -> str:
        """Start a part that listens there."""
        self._meant.port = port
        return start()

    def free_port(self) -> int:
        """Return the port that is meant."""
        return int(self._meant.port)


class Desk:
    """Tells where processes are, and takes orders to start them again, by files in a folder."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site = site
        self._folder = folder

    def tell(self) -> None:
        """Write who is where now."""
        for name, handle in self._site.handles().items():
            new = self._folder / f"{name}.pid.new"
            new.write_text(f"{handle.pid}\n", encoding="ascii")
            new.replace(self._folder / f"{name}.pid")

    def serve(self) -> None:
        """Start again what somebody has asked for and what has ended; ready before its new pid is told."""
        for order in self._folder.glob("*.again"):
            if order.stem in self._site.supervisor.exits():
                order.unlink()
                self._site.start_again(order.stem)
                self.tell()


def main() -> None:
    """Start, serve, stop."""
    front, database_port, store_port, a, b = (int(part) for part in os.environ["PORTS"].split())
    ports = {"a": a, "b": b}
    names = ("links.postgres", "links.redis", "provider.primary", "provider.secondary")
    links = {
        name: Link(name=name, proxy=name, toxiproxy_url="", listen=address, upstream="")
        for name, address in zip(names, os.environ["LINKS"].split(), strict=True)
    }
    credentials = Credentials(
        users=(),
        database_password=os.environ["DATABASE_PASSWORD"],
        store_password=os.environ["STORE_PASSWORD"],
        provider_key=f"pk-{secrets.token_hex(24)}",
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="reference-logs-") as logs:
        supervisor = Supervisor(logs=Path(logs))
        try:
            site = FixedPorts(supervisor, logs=Path(logs), mask=credentials.mask)
            with Together(site) as together:
                password, key = credentials.database_password, credentials.store_password
                database = together.do(lambda: site.at(database_port, lambda: postgres.start(site, password=password)))
                together.do(lambda: site.at(store_port, lambda: valkey.start(site, password=key)))
                together.wait()
            programs.provision(site, server=database.result(), credentials=credentials)  # no users yet: the tables only
            wiring = programs.Wiring(version="foreign", credentials=credentials, links=links, settings={})
            instances = list(stand_service(site, wiring, {name: f"127.0.0.1:{port}" for name, port in ports.items()}).values())
            desk = Desk(site, Path(os.environ["PIDS"]))
            desk.tell()  # before the balancer answers, which is how the harness knows that all of it is there
            site.at(front, lambda: balancer.start(site, instances))
            desk.tell()
            while not stop.wait(0.1):
                desk.serve()
        finally:
            supervisor.stop()


if __name__ == "__main__":
    main()
