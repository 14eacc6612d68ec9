"""What a described target can be asked for, and which key of the description would offer what is missing."""

import hashlib
from pathlib import Path

from harness.errors import ConfigurationError
from harness.model.plan import LocustfileReference, TargetReference
from harness.model.probe import ACTIONS
from harness.model.target import Limits, Offer
from harness.target.description import Description
from harness.target.description.document import LocustfileDocument, TargetDocument
from harness.target.description.message import message_of
from harness.target.embedded.running import CLOCKS, DEPENDENCIES, FAULTABLE
from harness.target.external.relay import relayed_endpoints
from harness.target.external.signals import signals_of

_EVERYWHERE = (
    "provider.primary", "provider.secondary", "links.postgres", "links.redis", "processes.service", "host",
    *DEPENDENCIES, *CLOCKS, *(f"processes.{name}" for name in FAULTABLE),
)  # fmt: skip
"""What the catalogue's scenarios break; what a description has nothing of is told by the key that would offer it."""


def offer_of(description: Description) -> Offer:
    """Return the offer; reads the file's contents only."""
    document = description.document
    endpoints = () if document.provider is None else tuple(document.provider.endpoints)
    places = {f"provider.{name}" for name in endpoints}
    places |= {f"links.{name}" for name in document.links}
    places |= {f"processes.{name}" for name in document.processes}
    places |= {f"containers.{name}" for name, part in document.processes.items() if part.container is not None}
    places |= {f"commands.{name}" for name in document.faults}
    places |= {f"clocks.{name}" for name in document.clocks} | {f"disks.{name}" for name in document.disks}
    if document.start is not None and document.start.compose is None:
        places.add("processes.service")
    if document.start is not None and document.start.image is not None:
        places.add("containers.service")
    missing = {place: _key_for(place) for place in _EVERYWHERE if place not in places}
    if not description.caps_principals:
        missing["capped_principals"] = "provision` with `${cap_usd}"
    capabilities = _capabilities(document)
    missing |= {f"actions.{name}": f"actions.{name}" for name in ACTIONS}
    missing |= {"principals.distinct": "provision", "canaries": "canaries"}
    missing |= {path: f"instances[].{path}" for path in ("live", "ready", "metrics")} | {"logs": "start"}
    return Offer(
        reference=TargetReference(kind="external", name=document.name, digest=description.digest),
        places=frozenset(places),
        signals=signals_of(document),
        capped_principals=description.caps_principals,
        rate_limit_per_minute=document.rate_limit_per_minute,
        model=document.models["normal"],
        models=frozenset(document.models),
        prompt_tag=any(part.prompt_tag for part in document.correlate),
        freeze_only=frozenset(f"processes.{name}" for name, part in document.processes.items() if not part.starts_again),
        missing=missing,
        limits=limits_of(description),
        capabilities=capabilities,
        relayed=frozenset(f"provider.{name}" for name in relayed_endpoints(document.provider)),
        prices=_prices(document),
        locustfile=locustfile_of(description),
        message=message_of(document),
    )


def locustfile_of(description: Description) -> LocustfileReference | None:
    """Return the locustfile that says what is asked; None where a scenario's mix does. Raises ConfigurationError."""
    protocol = description.document.protocol
    if not isinstance(protocol, LocustfileDocument):
        return None
    path = path_of(description, protocol.locustfile)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{path}: the locustfile cannot be read: {error.strerror}") from error
    return LocustfileReference(path=str(path), digest=digest)


def _capabilities(document: TargetDocument) -> frozenset[str]:
    """Return what checks can use: each instance and the paths that all of them have, logs of what is started, actions."""
    found = {f"actions.{name}" for name in document.actions}
    if document.instances:
        found.add("instances")
        paths = ("live", "ready", "metrics")
        found |= {path for path in paths if all(getattr(each, path) is not None for each in document.instances)}
    if document.start is not None or (document.instances and all(each.log is not None for each in document.instances)):
        found.add("logs")
    if document.canaries:
        found.add("canaries")
    if document.provision is not None or len(document.principals) > 1:
        found.add("principals.distinct")
    return frozenset(found)


def _prices(document: TargetDocument) -> dict[str, tuple[float, float]]:
    told = {} if document.budget is None else document.budget.prices
    return {model: (price.input_usd_per_mtok, price.output_usd_per_mtok) for model, price in told.items()}


def limits_of(description: Description) -> Limits | None:
    """Return what the harness holds itself to; None where the description says nothing."""
    limits = description.document.limits
    if limits is None:
        return None
    return Limits(
        rate_rps=limits.rate_rps,
        concurrency=limits.concurrency,
        requests=limits.requests,
        spend_usd=limits.spend_usd,
        faults=tuple(limits.faults),
    )


def path_of(description: Description, text: str) -> Path:
    """Return a path as a description means it: from the description's own folder."""
    return (description.folder / text).expanduser()


def _key_for(place: str) -> str:
    room, _, name = place.partition(".")
    if place == "processes.service":
        return "start"
    return f"provider.endpoints.{name}" if room == "provider" else place
