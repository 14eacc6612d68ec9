"""Starts PostgreSQL from its wheel, then the gateway on it. Environment: PORTS (gateway, PostgreSQL), DATABASE_PASSWORD,
and the gateway's own GATEWAY_* variables. Ends with SIGTERM, and everything with it.
"""

import os
import signal
import tempfile
import threading
from pathlib import Path

from harness.target.embedded import postgres
from harness.target.embedded.site import Program, Site, answers
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor


class FixedPort(Site):
    """A site that listens where the description says."""

    def free_port(self) -> int:
        """Return PostgreSQL's port."""
        return int(os.environ["PORTS"].split()[1])


def main() -> None:
    """Start, serve, stop."""
    front = os.environ["PORTS"].split()[0]
    gateway = Path(__file__).resolve().parent / ".venv/bin/any-llm-gateway"
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="any-llm-logs-") as logs:
        password = os.environ["DATABASE_PASSWORD"]
        supervisor = Supervisor(logs=Path(logs))
        try:
            site = FixedPort(supervisor, logs=Path(logs), mask=Mask.of([password]))
            postgres.start(site, password=password)
            own = {name: value for name, value in os.environ.items() if name.startswith("GATEWAY_")}
            command = [str(gateway), "serve", "--host", "127.0.0.1", "--port", front]
            program = Program(name="gateway", command=command, environment=own | {"PYTHONPATH": ""})
            site.start(program, lambda: answers(f"127.0.0.1:{front}", "/health/readiness"), within_s=90)
            stop.wait()
        finally:
            supervisor.stop()


if __name__ == "__main__":
    main()
