"""One look at an instance's metrics: a line of `metrics/scrapes.jsonl`."""

from dataclasses import dataclass

SCRAPES_SCHEMA = "harness.scrape/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """at_ns: on the run's clock. text: the exposition as it came, empty where `problem` says why there is none."""

    at_ns: int
    instance: str
    text: str = ""
    problem: str | None = None
    schema: str = SCRAPES_SCHEMA
