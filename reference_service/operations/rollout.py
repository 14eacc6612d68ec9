"""`python -m reference_service.operations.rollout switch|canary|show`: shifts traffic by weights in Caddy's admin API.

Works on the reverse proxy that has `"@id": "gateway"` in Caddy's configuration. A change is a graceful reload: requests
that are under way finish where they began. A canary is watched by the metrics of both versions and taken back at once
when it fails more, is slower, or gives more degraded answers than the stable one.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

STEPS = (5, 25, 50, 100)
MORE_ERRORS = 0.02
MORE_DEGRADED = 0.05
SLOWER = 1.5
SLOWER_BY_S = 0.25
CHAT = "/v1/chat/completions"


class RolloutError(Exception):
    """The balancer does not do what it is told; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an instance has counted since it started."""

    requests: float
    errors: float
    degraded: float
    seconds: float

    def since(self, before: "Counts") -> "Counts":
        """Return what was counted in between."""
        return Counts(
            requests=self.requests - before.requests,
            errors=self.errors - before.errors,
            degraded=self.degraded - before.degraded,
            seconds=self.seconds - before.seconds,
        )


class Balancer:
    """Caddy's admin API."""

    def __init__(self, admin: str) -> None:
        self._client = httpx.Client(base_url=admin, timeout=5, trust_env=False)

    def weights(self) -> dict[str, int]:
        """Return who gets how much. Raises RolloutError."""
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


def counts_of(address: str) -> Counts:
    """Return an instance's counts. Raises RolloutError."""
    try:
        text = httpx.get(f"http://{address}/metrics", timeout=5, trust_env=False).raise_for_status().text
    except httpx.HTTPError as error:
        raise RolloutError(f"{address} gives no metrics: {type(error).__name__}") from error
    requests = errors = degraded = seconds = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels
            if sample.name.startswith("http_request_duration_seconds") and labels.get("route") == CHAT:
                if sample.name.endswith("_count"):
                    requests += sample.value
                    errors += sample.value if labels["status_code"].startswith("5") else 0
                elif sample.name.endswith("_sum"):
                    seconds += sample.value
            elif sample.name == "gateway_refusals_total" and labels["type"] in ("upstream_stream_error", "stream_timeout"):
                errors += sample.value
            elif sample.name == "gateway_answers_total" and labels["degraded"] != "0":
                degraded += sample.value
    return Counts(requests=requests, errors=errors, degraded=degraded, seconds=seconds)


def complaint(stable: Counts, candidate: Counts, *, slower: float = SLOWER) -> str | None:
    """Return what speaks against the candidate, or None. Without requests on the stable side it is held to none at all."""
    calm, new = max(stable.requests, 1.0), max(candidate.requests, 1.0)
    if candidate.errors / new > stable.errors / calm + MORE_ERRORS:
        return f"errors: {candidate.errors / new:.1%} against {stable.errors / calm:.1%}"
    if candidate.degraded / new > stable.degraded / calm + MORE_DEGRADED:
        return f"quality: {candidate.degraded / new:.1%} degraded answers against {stable.degraded / calm:.1%}"
    was_s, is_s = stable.seconds / calm, candidate.seconds / new
    if stable.requests and is_s > slower * was_s + SLOWER_BY_S:
        return f"latency: {is_s:.2f} s against {was_s:.2f} s"
    return None


def canary(
    balancer: Balancer,
    stable: str,
    candidate: str,
    *,
    watch_s: float,
    least: int,
    patience_s: float,
    say: Callable[[str], None],
    slower: float = SLOWER,
) -> int:
    """Shift step by step; return 0 when all is shifted, 1 when it was taken back, 3 when too few requests came to tell."""
    baseline = {address: counts_of(address) for address in (stable, candidate)}
    calm = counts_of(stable).since(baseline[stable])
    for percent in STEPS:
        balancer.shift({stable: 100 - percent, candidate: percent})
        say(f"{percent} % to {candidate}")
        before = {address: counts_of(address) for address in (stable, candidate)}
        ends, gives_up = time.monotonic() + watch_s, time.monotonic() + watch_s + patience_s
        while True:
            time.sleep(min(0.25, watch_s))
            try:
                new = counts_of(candidate).since(before[candidate])
                calm = counts_of(stable).since(baseline[stable])
                wrong = complaint(calm, new, slower=slower) if new.requests >= least else None
            except RolloutError as error:
                wrong, new = str(error), before[candidate]
            if wrong is not None:
                balancer.shift({stable: 100})
                say(f"taken back: {wrong}")
                return 1
            if time.monotonic() >= ends and new.requests >= least:
                break
            if time.monotonic() >= gives_up:
                balancer.shift({stable: 100})
                say(f"taken back: {new.requests:.0f} requests at {percent} % are too few to tell; {least} are needed")
                return 3
    say(f"{candidate} has all of it")
    return 0


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> int:
    """Run the program; 5 where the balancer cannot be told."""
    parser = argparse.ArgumentParser(prog="rollout")
    parser.add_argument("what", choices=["switch", "canary", "show"])
    parser.add_argument("--admin", required=True, help="Caddy's admin API, http://127.0.0.1:2019")
    parser.add_argument("--to", action="append", default=[], help="HOST:PORT that gets everything; may be repeated")
    parser.add_argument("--stable")
    parser.add_argument("--candidate")
    parser.add_argument("--watch", type=float, default=60.0, help="seconds at each step")
    parser.add_argument("--least", type=int, default=20, help="requests that the candidate must have answered at each step")
    parser.add_argument("--slower", type=float, default=SLOWER, help="how many times the stable version's mean time is too slow")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds to wait for that many")
    o = parser.parse_args()
    if (o.what == "switch" and not o.to) or (o.what == "canary" and not (o.stable and o.candidate)):
        parser.error("switch needs --to; canary needs --stable and --candidate")
    balancer = Balancer(o.admin)
    try:
        if o.what == "canary":
            return canary(
                balancer, o.stable, o.candidate, watch_s=o.watch, least=o.least, patience_s=o.patience,
                say=_say, slower=o.slower,
            )  # fmt: skip
        if o.what == "switch":
            for address in o.to:
                counts_of(address)  # nobody is sent to an instance that does not answer
            balancer.shift(dict.fromkeys(o.to, 1))
        sys.stdout.write(json.dumps(balancer.weights()) + "\n")
    except RolloutError as error:
        sys.stderr.write(f"{error}\n")
        return 5
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
