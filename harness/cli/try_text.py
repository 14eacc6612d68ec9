"""What `harness try` says of one request. The caller masks it."""

from collections.abc import Mapping, Sequence

from harness.model.figures import dollars
from harness.model.target import Offer
from harness.report import visible
from harness.target.external.findings import signals_on
from harness.target.external.preflight import joined_by
from harness.target.external.probe import Probe
from harness.target.external.running import RunningExternal

_BODY_SHOWN = 1_500


def try_text(found: Probe, calls: Sequence[Mapping[str, object]], running: RunningExternal, offer: Offer) -> str:
    """Return the exchange, the outcome, the signals and the provider's calls. Holds the key: mask it."""
    lines = ["request", *_indented(found.request.decode("latin-1"))]
    lines += ["", f"answer after {found.took_s:.2f} s", *_indented(_answer(found))]
    lines += ["", "outcome", f"  {_outcome(found)}", "", "signals"]
    lines += _signals(found, offer)
    lines += ["", "calls of the provider"]
    lines += _calls(found, calls, running, offer)
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return [f"  {visible(line, longest=2_000)}" for line in text.replace("\r\n", "\n").split("\n")]


def _answer(found: Probe) -> str:
    if found.status is None:
        return repr(found.raw[:200]) if found.raw else "nothing"
    head = "\n".join(f"{name}: {value}" for name, value in found.headers.items())
    body = found.body.decode("utf-8", "replace")
    cut = f"\n... {len(body) - _BODY_SHOWN:,} more characters" if len(body) > _BODY_SHOWN else ""
    return f"{found.status}\n{head}\n\n{body[:_BODY_SHOWN]}{cut}"


def _outcome(found: Probe) -> str:
    outcome = found.outcome
    parts = [outcome.result.value]
    if outcome.source is not None:
        parts.append(f"from {outcome.source.value}")
    if outcome.refusal is not None:
        parts.append(f"by {outcome.refusal.value}")
    if outcome.error_kind is not None:
        parts.append(f"({outcome.error_kind.value})")
    if outcome.chunks is not None:
        parts.append(f"in {outcome.chunks} chunks")
    if outcome.prompt_tokens is not None:
        parts.append(f"with {outcome.prompt_tokens} + {outcome.completion_tokens} tokens by its own count")
    return " ".join(parts)


def _signals(found: Probe, offer: Offer) -> list[str]:
    rows = signals_on(found, offer.signals)
    if not rows:
        return ["  the description has no `signals` and no `refusals`: the provider's records alone decide"]
    width = max(len(row.line) for row in rows)
    return [
        f"  {'holds' if row.holds else '-':<6}{row.line:<{width}}  {row.looked}: "
        f"{'nothing there' if row.value is None else visible(row.value)}"
        for row in rows
    ]


def _calls(found: Probe, calls: Sequence[Mapping[str, object]], running: RunningExternal, offer: Offer) -> list[str]:
    if running.provider_control_url is None:
        return ["  the description has no `provider`: nothing but the target's own words tells what it did"]
    if not calls:
        return ["  none: the target did not call the simulated provider"]
    lines = [
        f"  {call.get('endpoint')}: {call.get('model')}, status {call.get('status_code')}, {call.get('prompt_tokens')} + "
        f"{call.get('completion_tokens')} tokens, {_cost(call)}, {call.get('ended')}"
        for call in calls
    ]
    joined = joined_by(found, list(map(dict, calls)))
    if joined is None:
        return [*lines, "  NOT joined: neither request id nor prompt tag came through"]
    hint = "" if joined == "request id" or offer.prompt_tag else "; add `correlate: [{prompt_tag: true}]`"
    return [*lines, f"  joined by the {joined}{hint}"]


def _cost(call: Mapping[str, object]) -> str:
    cost = call.get("cost_usd")
    return dollars(cost if isinstance(cost, float) else None)
