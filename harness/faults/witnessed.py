"""Transport faults at a real Toxiproxy in a container: the same toxics, proved from outside.

It keeps no accounts. What stands in for them: its own log, which names every connection that it accepts, and the kernel's
counters beside it (`harness.faults.witness`) for those that were there before. See docs/decisions/0053-who-witnesses.md.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from harness.errors import FaultError
from harness.faults.engine import Engine, EngineError
from harness.faults.probe import Behaviour, probe
from harness.faults.toxiproxy import DOWN, ToxiproxyBackend
from harness.faults.toxiproxy_client import ToxiproxyClient
from harness.model.fault import Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.target import Link, Witness

_BY_CHANCE = 1e-6
"""With a toxicity below 1 each connection is hit by chance; that none of them was must be this unlikely."""


class WitnessedToxiproxyBackend(ToxiproxyBackend):
    """Faults on links that run through a Toxiproxy without accounts, reached through published ports. See `Backend`."""

    def __init__(self, links: Mapping[str, Link], witness: Witness, *, timeout_s: float = 2.0) -> None:
        super().__init__(links, timeout_s=timeout_s)
        self._witness = witness
        self._http = httpx.Client(base_url=witness.url, timeout=timeout_s, trust_env=False)
        self._engine = Engine(witness.toxiproxy.engine)
        self._since_ns: dict[str, int] = {}

    def apply(self, fault: Fault) -> None:
        """Add the toxics, or disable the proxy; what is cut by that is told from here on."""
        if fault.kind == DOWN:
            self._since_ns[fault.id] = self._ask(self._link(fault), 0)["now_ns"]
        super().apply(fault)

    def confirm(self, fault: Fault) -> None:
        """See it in the proxy's list, and act on a connection of our own where its effect shows at once."""
        if fault.kind == DOWN:
            self._confirm_down(fault)
            return
        super().confirm(fault)
        self._since_ns[fault.id] = self._ask(self._link(fault), 0)["now_ns"]

    def prove_clear(self, fault: Fault) -> None:
        """See that it is not listed, and that the link answers where it did before.

        A published port accepts connections for a link that refuses them, so being accepted proves nothing here.
        """
        before = self._before.get(fault.id)
        super().prove_clear(fault)
        if fault.kind == DOWN and before is not None and before.probed.behaviour is Behaviour.ANSWERED:
            seen = probe(self._link(fault), within_s=1.0).behaviour
            if seen in {Behaviour.CLOSED, Behaviour.RESET, Behaviour.REFUSED}:
                raise FaultError(f"{fault.id}: {fault.at} still refuses connections: {seen.value}")

    def _confirm_down(self, fault: Fault) -> None:
        if not self.in_force(fault):
            raise FaultError(f"{fault.id}: the proxy of {fault.at} is still enabled")
        seen = probe(self._link(fault), within_s=1.0).behaviour
        if seen not in {Behaviour.CLOSED, Behaviour.RESET, Behaviour.REFUSED}:
            raise FaultError(f"{fault.id}: the proxy of {fault.at} is disabled, yet {seen.value}; expected: the connection ends")

    def _count_since_confirmed(self, client: ToxiproxyClient, link: Link, fault: Fault) -> int | None:
        """Return on how many of the target's connections it acted; None where nobody can tell."""
        del client
        since_ns = self._since_ns.pop(fault.id, None)
        if since_ns is None:
            return None
        try:
            seen = self._ask(link, since_ns)
            if fault.kind == DOWN:
                return int(seen["ended"]) or None
            met = int(seen["carried"]) + self._accepted(link, since_ns, seen["now_ns"], str(seen["gateway"]))
        except (FaultError, EngineError):
            return None  # removing matters more than counting
        toxicity = float(complete(FAULT_KINDS[fault.kind], fault.parameters)["toxicity"])
        if toxicity >= 1.0:
            return met
        return 1 if (1.0 - toxicity) ** met < _BY_CHANCE else None

    def _ask(self, link: Link, since_ns: int) -> Mapping[str, Any]:
        try:
            response = self._http.get("/traffic", params={"port": self._witness.ports[link.name], "since_ns": since_ns})
            found: Mapping[str, Any] = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise FaultError(f"the witness beside the Toxiproxy at {link.toxiproxy_url} does not answer: {error!r}") from error
        return found

    def _accepted(self, link: Link, since_ns: int, until_ns: int, gateway: str) -> int:
        """Return how many connections of the target the Toxiproxy accepted at a link between two moments, by its log."""
        log = self._engine.logs(self._witness.toxiproxy.container_id, since_s=since_ns / 1e9 - 1)
        return count_accepted(log, link.proxy, since_ns, until_ns, gateway)


def count_accepted(log: bytes, proxy: str, since_ns: int, until_ns: int, gateway: str) -> int:
    """Return how many lines say that `proxy` accepted a client that is not the gateway, between two moments.

    log: Toxiproxy's, each line after its moment as the engine saw it; Toxiproxy itself tells whole seconds only.
    """
    found = 0
    for line in log.splitlines():
        moment, _, said = line.partition(b" ")
        try:
            entry = json.loads(said)
            if entry["message"] != "Accepted client" or entry["name"] != proxy or entry["client"].startswith(f"{gateway}:"):
                continue
            moment_ns = datetime.fromisoformat(moment.decode("ascii")).timestamp() * 1e9
        except (ValueError, KeyError, TypeError):
            continue
        found += since_ns <= moment_ns <= until_ns
    return found
