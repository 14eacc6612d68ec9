"""The order by which our provider stands before the user's real one. It holds the real key: standard input only."""

import json
from collections.abc import Collection
from urllib.parse import urlsplit

from harness.errors import ConfigurationError
from harness.target.description.document import ProviderDocument, TargetDocument
from harness.target.description.placeholders import Placeholders
from harness.target.external.caller import resolve


def relayed_endpoints(provider: ProviderDocument | None) -> tuple[str, ...]:
    """Return the endpoints that pass calls on to a real provider."""
    return () if provider is None else tuple(name for name, part in provider.endpoints.items() if part.upstream is not None)


def relay_order(document: TargetDocument, placeholders: Placeholders, token: str, allowed: Collection[str]) -> str | None:
    """Return the order, one line of JSON; None where no endpoint has an upstream.

    Raises ConfigurationError where a real provider is not on loopback and its host was not allowed on the command line.
    """
    if document.provider is None or not relayed_endpoints(document.provider):
        return None
    upstreams = {}
    for name, part in document.provider.endpoints.items():
        if part.upstream is None:
            continue
        url = placeholders.fill(part.upstream.url)
        parts = urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or parts.hostname is None or not port:
            raise ConfigurationError(f"provider.endpoints.{name}.upstream: {url!r} is no base URL; write https://HOST/v1")
        address, _ = resolve(parts.hostname, port, allowed)
        upstreams[name] = {"url": url, "key": placeholders.fill(part.upstream.key), "address": address}
    assert document.limits is not None
    assert document.budget is not None
    prices = {model: price.model_dump() for model, price in document.budget.prices.items()}
    order = {"token": token, "spend_cap_usd": document.limits.spend_usd, "upstreams": upstreams, "prices": prices}
    return json.dumps(order) + "\n"
