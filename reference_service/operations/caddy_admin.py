"""Traffic by the admin API of a Caddy that is already in place.

Each change reloads Caddy, which closes kept-alive connections: a request that was just sent on one is lost, and its
client must send it again. See `docs/decisions/0110-traffic-is-shifted-by-a-file.md`.
"""

from collections.abc import Callable
from typing import Any

import httpx

from reference_service.operations.counts import Counts, RolloutError, counts_of


class AdminBalancer:
    """The reverse proxy that has `"@id": "gateway"` in the configuration of a Caddy with an admin API."""

    def __init__(self, admin: str) -> None:
        self._client = httpx.Client(base_url=admin, timeout=5, trust_env=False)

    def weights(self) -> dict[str, int]:
        """Return the weight of each address. Raises RolloutError."""
        proxy = self._proxy()
        dials = [upstream["dial"] for upstream in proxy["upstreams"]]
        policy = proxy.get("load_balancing", {}).get("selection_policy", {})
        return dict(zip(dials, policy.get("weights", [1] * len(dials)), strict=True))

    def shift(self, weights: dict[str, int]) -> None:
        """Set the weights; an address with 0 gets nothing at all. Raises RolloutError."""
        kept = {address: weight for address, weight in weights.items() if weight > 0}
        if not kept:
            raise RolloutError("no instance would be left; give one of them a weight")
        proxy = self._proxy()
        proxy["upstreams"] = [{"dial": address} for address in kept]
        proxy.setdefault("load_balancing", {})["selection_policy"] = {
            "policy": "weighted_round_robin",
            "weights": list(kept.values()),
        }
        self._said(self._client.patch, "/id/gateway", json=proxy)
        if self.weights() != kept:
            raise RolloutError("the balancer took the weights and does not have them")

    def counts(self, side: str) -> Counts:
        """Return what the instance at an address has counted. Raises RolloutError."""
        return counts_of(side)

    def _proxy(self) -> dict[str, Any]:
        proxy = self._said(self._client.get, "/id/gateway").json()
        if not isinstance(proxy, dict) or "upstreams" not in proxy:
            raise RolloutError('the balancer has no reverse proxy with "@id": "gateway"; give the handler that id')
        return proxy

    def _said(self, ask: Callable[..., httpx.Response], path: str, **how: object) -> httpx.Response:
        try:
            answer = ask(path, **how)
        except httpx.HTTPError as error:
            raise RolloutError(f"{self._client.base_url}: {type(error).__name__}; is Caddy's admin API on?") from error
        if answer.status_code != 200:
            raise RolloutError(f"the balancer said {answer.status_code}: {answer.text[:300]}")
        return answer
