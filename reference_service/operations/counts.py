"""What an instance has counted of its own requests, by its metrics."""

import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException

from prometheus_client.parser import text_string_to_metric_families

CHAT = "/v1/chat/completions"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # an instance is never behind a proxy


class RolloutError(Exception):
    """A balancer or an instance does not do what it is told; the message says what."""


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

    @classmethod
    def sum_of(cls, parts: Iterable["Counts"]) -> "Counts":
        """Return what several instances have counted together."""
        every = list(parts)
        return cls(
            requests=sum(c.requests for c in every),
            errors=sum(c.errors for c in every),
            degraded=sum(c.degraded for c in every),
            seconds=sum(c.seconds for c in every),
        )


def counts_of(address: str) -> Counts:
    """Return an instance's counts. Raises RolloutError."""
    try:
        with _DIRECT.open(f"http://{address}/metrics", timeout=5) as answer:
            text = answer.read().decode("utf-8", "replace")
    except (OSError, HTTPException, ValueError) as error:
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
