"""What guards share: stores, ledger, endpoints, metrics, the log. Made once a process; opened and closed in order."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from reference_service.alerts import BudgetAlerts
from reference_service.audit import Audit
from reference_service.breaker import BreakerRules
from reference_service.database import Database
from reference_service.guards.features import Features
from reference_service.ledger import Ledger
from reference_service.metrics import Metrics
from reference_service.parts import Parts, parts_for
from reference_service.provider.endpoint import Endpoint
from reference_service.retrieval.embedding import Embedder, HashedEmbedder
from reference_service.retrieval.knowledge import Knowledge
from reference_service.retrieval.provider_embedder import ProviderEmbedder
from reference_service.sealing import Sealer, sealer_for
from reference_service.settings import Settings
from reference_service.store import Store
from reference_service.workflow import Workflows, load, read_texts

LogWriter = Callable[[dict[str, object]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything with a connection behind it."""

    settings: Settings
    store: Store
    database: Database
    ledger: Ledger
    endpoints: tuple[Endpoint, ...]
    knowledge: Knowledge
    workflows: Workflows
    audit: Audit
    sealer: Sealer
    alerts: BudgetAlerts
    features: Features
    metrics: Metrics
    write_log: LogWriter
    parts: Parts

    async def open(self) -> None:
        """Start; waits for no store."""
        await self.database.open()
        self.ledger.start()
        self.audit.start()

    async def warm(self) -> None:
        """Make the first connections, so that the first users do not wait for them; a store that is down is let be."""
        for ping in (self.store.ping, self.database.ping):
            await asyncio.gather(*(ping() for _ in range(4)), return_exceptions=True)

    async def close(self) -> None:
        """Flush the ledger, then close everything; within about two seconds."""
        lost = await self.ledger.close(1.0)
        if lost:
            # The rows stay held in the database, at no less than they cost, until the sweep settles them.
            self.write_log({"event": "unsettled_at_exit", "settlements": lost})
        if unwritten := await self.audit.close(0.5):
            self.write_log({"event": "audit_unwritten_at_exit", "entries": unwritten})
        for endpoint in self.endpoints:
            await endpoint.close()
        await self.store.close()
        await self.database.close()


def build_resources(settings: Settings) -> Resources:
    """Return the resources that the settings describe; connects to nothing. Raises SettingsError for a defect not allowed."""
    s = settings
    parts = parts_for(s)
    guard_rules = BreakerRules(failures=s.guard_breaker_failures, open_s=s.guard_breaker_open_s)
    provider_rules = BreakerRules(
        failures=s.breaker_failures,
        open_s=s.breaker_open_s,
        probes=s.breaker_probes,
        successes=s.breaker_successes,
        ratio=s.breaker_ratio,
        min_calls=s.breaker_min_calls,
        window_s=s.breaker_window_s,
    )
    database = parts.database(s, parts.guard_breaker(guard_rules))
    endpoints = [parts.endpoint("primary", s.provider_primary_url, s, parts.provider_breaker(provider_rules))]
    if s.fallback and s.provider_secondary_url:
        endpoints.append(parts.endpoint("secondary", s.provider_secondary_url, s, parts.provider_breaker(provider_rules)))
    write_log = json_lines(s.instance, s.version, s.defect)
    return Resources(
        settings=s,
        audit=(audit := parts.audit_log(database, write_log)),
        alerts=parts.alerts(database, s, audit, write_log),
        features=Features(s.flags, parts.flags),
        sealer=sealer_for(s, parts.sealer),
        store=parts.store(s.store_url, timeout_s=s.store_timeout_s, breaker=parts.guard_breaker(guard_rules)),
        database=database,
        ledger=parts.ledger(database, s),
        endpoints=tuple(endpoints),
        knowledge=parts.knowledge(database, embedder_for(s)),
        workflows=load(read_texts(s.workflows)),
        metrics=parts.metrics(),
        write_log=write_log,
        parts=parts,
    )


def embedder_for(s: Settings) -> Embedder:
    """Return the embedder that the settings choose."""
    if s.embeddings == "offline":
        return HashedEmbedder()
    return ProviderEmbedder(s.provider_primary_url, key=s.provider_key, model=s.embedding_model, limit_s=s.retrieval_timeout_s)


def json_lines(instance: str, version: str, defect: str = "") -> LogWriter:
    """Return a writer of one JSON line an event to standard error; every line names a planted defect."""
    always = {"instance": instance, "version": version, **({"defect": defect} if defect else {})}
    started = time.time()
    monotonic = time.monotonic()

    def write(fields: dict[str, object]) -> None:
        at = datetime.fromtimestamp(started + time.monotonic() - monotonic, UTC).isoformat(timespec="milliseconds")
        line = msgspec.json.encode({"at": at, **always, **fields})
        sys.stderr.write(line.decode() + "\n")
        sys.stderr.flush()

    return write
