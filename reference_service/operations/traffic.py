"""Who gets how much of the traffic: two ways to tell a balancer, one for each kind that there is.

`SlotBalancer` writes the share of our own balancer (`balancer.py`): no request is lost, and the next one is already dealt
by it. `AdminBalancer` tells a Caddy that is already in place by its admin API; each change reloads Caddy, which closes
kept-alive connections: a request that was just sent on one is lost, and its client must send it again.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx

from reference_service.operations.counts import Counts, RolloutError, counts_of
from reference_service.operations.slots import SLOTS, Shares


class Traffic(Protocol):
    """A balancer, however it is told. A side is a slot's name, or an address."""

    def weights(self) -> dict[str, int]:
        """Return who gets how much. Raises RolloutError."""

    def shift(self, weights: dict[str, int]) -> None:
        """Set who gets how much of a hundred. Raises RolloutError."""

    def counts(self, side: str) -> Counts:
        """Return what a side has counted. Raises RolloutError."""


class SlotBalancer:
    """The balancer whose files lie in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._shares = Shares(directory / "green")
        try:
            self._slots: dict[str, Sequence[str]] = json.loads((directory / "slots.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RolloutError(f"{directory} is not a balancer's: slots.json cannot be read; name its --directory") from error

    def weights(self) -> dict[str, int]:
        """Return the percentage of each slot. Raises RolloutError."""
        try:
            green = self._shares.read()
        except (OSError, ValueError) as error:
            raise RolloutError(f"{self._shares.path}: {error}; `rollout switch` writes it anew") from error
        return {"blue": 100 - green, "green": green}

    def shift(self, weights: dict[str, int]) -> None:
        """Deal the next requests so. Raises RolloutError."""
        if not weights.keys() <= set(SLOTS):
            raise RolloutError(f"the balancer's slots are {' and '.join(SLOTS)}, not {', '.join(sorted(weights))}")
        whole = sum(weights.values())
        if whole <= 0:
            raise RolloutError("nobody would be left; give a slot a weight")
        try:
            self._shares.write(round(100 * weights.get("green", 0) / whole))
        except OSError as error:
            raise RolloutError(f"{self._shares.path}: {error}") from error

    def counts(self, side: str) -> Counts:
        """Return the sum over the slot's instances. Raises RolloutError."""
        if side not in self._slots:
            raise RolloutError(f"the balancer's slots are {' and '.join(SLOTS)}, not {side}")
        return Counts.sum_of(counts_of(address) for address in self._slots[side])


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
