"""The independent meter: what each key used of each model, counted token by token as it is generated.

The judge of budgets. It shares no counter and no sum with the call records, so that one can be checked by the other.
"""

from dataclasses import dataclass

from harness.model.simulated import SimulatedModel


@dataclass(slots=True, kw_only=True)
class Tally:
    """The usage of one key, model and endpoint. `calls` counts those that reached the model, not the refused ones."""

    model: SimulatedModel
    key_fingerprint: str
    endpoint: str
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def open(self, prompt_tokens: int) -> None:
        """Bill one more call and its prompt."""
        self.calls += 1
        self.prompt_tokens += prompt_tokens

    def generated(self, tokens: int) -> None:
        """Bill tokens of an answer."""
        self.completion_tokens += tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterLine:
    """One line of `GET /meter`."""

    model: str
    key_fingerprint: str
    endpoint: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


class Meter:
    """All tallies since the last reset."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, str], Tally] = {}

    def tally(self, *, model: SimulatedModel, key_fingerprint: str, endpoint: str) -> Tally:
        """Return the running tally of one key, model and endpoint."""
        key = (model.name, key_fingerprint, endpoint)
        if key not in self._tallies:
            self._tallies[key] = Tally(model=model, key_fingerprint=key_fingerprint, endpoint=endpoint)
        return self._tallies[key]

    def lines(self) -> list[MeterLine]:
        """Return what was used, by model, key and endpoint, priced by the table in `harness.model.simulated`."""
        return [
            MeterLine(
                model=tally.model.name,
                key_fingerprint=tally.key_fingerprint,
                endpoint=tally.endpoint,
                calls=tally.calls,
                prompt_tokens=tally.prompt_tokens,
                completion_tokens=tally.completion_tokens,
                cost_usd=tally.prompt_tokens * (tally.model.input_usd_per_mtok / 1e6)
                + tally.completion_tokens * (tally.model.output_usd_per_mtok / 1e6),
            )
            for _, tally in sorted(self._tallies.items(), key=lambda item: item[0])
        ]
