"""Why a result is what it is: each request with its provider calls, faults and log lines, and where its time went."""

from harness.explain.explain import Explanation, explain
from harness.explain.requests import Explained, LogLine
from harness.explain.spans import Spans, Where, spans_of

__all__ = ["Explained", "Explanation", "LogLine", "Spans", "Where", "explain", "spans_of"]
