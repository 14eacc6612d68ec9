"""Prometheus metrics, the document's names among them; every label has few values."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reference_service.pricing import usd
from reference_service.turn import Reservation, Turn

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 20, 30, 60)
SCORES = tuple(tenth / 10 for tenth in range(1, 11))
CIRCUIT = {"closed": 0, "half-open": 1, "open": 2}


class Metrics:
    """One instance's metrics, in a registry of their own."""

    buckets_s: tuple[float, ...] = BUCKETS_S

    def __init__(self) -> None:
        self.registry = r = CollectorRegistry()
        self._http = Histogram(
            "http_request_duration_seconds",
            "Duration of HTTP requests, to the last byte",
            ["method", "route", "status_code"],
            registry=r,
            buckets=self.buckets_s,
        )
        self._tokens = Counter(
            "llm_tokens_total", "Tokens of model calls, prompt and completion", ["model", "intent"], registry=r
        )
        self._cost = Counter("llm_cost_usd_total", "Dollars charged to budgets", ["model", "intent"], registry=r)
        self._over = Counter("llm_overbilled_usd_total", "Dollars billed above their reservation", ["model"], registry=r)
        self._calls = Histogram(
            "llm_api_latency_seconds",
            "Time to the first content of a provider call",
            ["endpoint", "outcome"],
            registry=r,
            buckets=self.buckets_s,
        )
        self._search = Histogram(
            "vector_search_latency_seconds", "Time of a search of the knowledge base", registry=r, buckets=self.buckets_s
        )
        self._scores = Histogram(
            "gateway_retrieval_score", "Similarity of the best passage that was found", registry=r, buckets=SCORES
        )
        self._answers = Counter(
            "gateway_answers_total", "Answers by where they came from", ["source", "degraded", "fallback"], registry=r
        )
        self._cache = Counter("gateway_cache_total", "Cache look-ups", ["result"], registry=r)
        self._saved = Counter("llm_cost_saved_usd_total", "Dollars that answers from the cache had cost before", registry=r)
        self._refusals = Counter("gateway_refusals_total", "Refusals and errors by type", ["type"], registry=r)
        self._intents = Counter("gateway_intents_total", "Questions by intent", ["intent"], registry=r)
        self._circuit = Gauge("gateway_circuit_state", "0 closed, 1 half-open, 2 open", ["endpoint"], registry=r)
        self._unsettled = Gauge("gateway_unsettled", "Settlements that the ledger has not taken yet", registry=r)
        self._inflight = Gauge("gateway_requests_in_flight", "Requests being answered", registry=r)
        # Of the whole service, not of this instance: take their maximum over instances, never their sum.
        self._day = {
            name: Gauge(name, what, registry=r)
            for name, what in (
                ("gateway_day_cost_usd", "Dollars spent today, by the ledger"),
                ("gateway_month_cost_usd", "Dollars spent this month, by the ledger"),
                ("gateway_day_budget_usd", "The service's budget for a day"),
                ("gateway_day_tokens", "Tokens billed today, by the ledger"),
                ("gateway_day_users", "Users whose questions reached a model today"),
                ("gateway_day_satisfied_ratio", "Share of today's scores that are 4 or 5; -1 while there are none"),
                ("gateway_intent_accuracy_ratio", "Share of the golden messages that get the right intent"),
            )
        }
        for figure in self._day.values():
            figure.set(float("nan"))  # not read yet is not nought: a budget of nought would be spent

    def http(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one finished request."""
        self._http.labels(method, route, str(status)).observe(seconds)

    def provider(self, endpoint: str, outcome: str, seconds: float) -> None:
        """Count one provider call."""
        self._calls.labels(endpoint, outcome).observe(seconds)

    def spent(self, turn: Turn, held: Reservation) -> None:
        """Count the tokens and dollars of one settled attempt."""
        intent = turn.intent or "none"
        if held.usage is not None and held.used:
            self._tokens.labels(held.model, intent).inc(held.usage.prompt_tokens + held.usage.completion_tokens)
        charged = held.charged_nanousd or 0
        self._cost.labels(held.model, intent).inc(self.dollars(charged))
        if charged > held.held_nanousd:
            self._over.labels(held.model).inc(usd(charged - held.held_nanousd))

    def saved_dollars(self, turn: Turn) -> float:
        """Return what an answer from the cache has saved."""
        return usd(turn.saved_nanousd)

    def dollars(self, charged_nanousd: int) -> float:
        """Return what is counted of a charge."""
        return usd(charged_nanousd)

    def turn(self, turn: Turn) -> None:
        """Count one question by how it ended."""
        if turn.question is not None:
            self._cache.labels(turn.cache).inc()
        self._saved.inc(self.saved_dollars(turn))
        if turn.intent is not None:
            self._intents.labels(turn.intent).inc()
        if turn.retrieval_s is not None:
            self._search.observe(turn.retrieval_s)
        if turn.passages:
            self._scores.observe(max(passage.score for passage in turn.passages))
        if turn.error is not None:
            self._refusals.labels(turn.error).inc()
        else:
            self._answers.labels(turn.source, turn.degraded, str(int(turn.fallback))).inc()

    def in_flight(self, change: int) -> None:
        """Count a request in (1) or out (-1)."""
        self._inflight.inc(change)

    def day(self, figures: Mapping[str, float | None]) -> None:
        """Set the figures of the day; None: there is none yet."""
        for name, value in figures.items():
            self._day[name].set(-1 if value is None else value)

    def text(self, circuits: dict[str, str], unsettled: int) -> bytes:
        """Return the exposition, with the states as of now."""
        for endpoint, state in circuits.items():
            self._circuit.labels(endpoint).set(CIRCUIT[state])
        self._unsettled.set(unsettled)
        return generate_latest(self.registry)
