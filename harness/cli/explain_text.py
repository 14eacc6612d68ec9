"""An explanation as a terminal shows it."""

from collections.abc import Sequence

from harness.explain import Explained, Explanation, Spans
from harness.model.sample import Call
from harness.report import LOOKS, found, visible
from harness.report.numbers import NOTHING, count, dollars, moment, seconds

_BAR = 48
_PARTS = (("dispatch_ns", "!", "dispatch"), ("before_ns", "·", "before upstream"), ("upstream_ns", "█", "upstream"),
          ("between_ns", "~", "between calls"), ("after_ns", "░", "after"))  # fmt: skip
_LONGEST_LINE = 300
_MOST_LINES = 24


def explanation_text(explanations: Sequence[Explanation]) -> str:
    """Return the text. Everything of the target is shown without its control characters.

    A request that counts against several results is shown whole at the first of them, and named at the others.
    """
    if not explanations:
        return "every result passed: there is nothing to explain; name a result or a request to look at it all the same"
    shown: set[int] = set()
    return "\n\n".join(_one(each, shown) for each in explanations)


def _one(explanation: Explanation, shown: set[int]) -> str:
    judgement = explanation.judgement
    lines = []
    if judgement is not None:
        look = LOOKS[judgement.status]
        phase = f" in {judgement.phase}" if judgement.phase else ""
        lines += [f"{look.symbol} {visible(judgement.id)}{visible(phase)} {look.word.lower()}: {visible(judgement.reason)}"]
        lines += [f"  {visible(line)}" for line in found(judgement)]
        if explanation.of:
            lines.append(f"  {count(explanation.found)} {explanation.noun}, {count(explanation.of)} looked at")
        elif not explanation.requests:
            lines.append("  it is about no single request")
    lines += [f"  {'- ' if judgement else ''}{visible(sentence)}" for sentence in explanation.sentences]
    if judgement is not None and explanation.requests:
        lines.append(f"  the slowest {len(explanation.requests)} of them:")
    again = [str(request.seq) for request in explanation.requests if request.seq in shown]
    if again:
        lines.append(f"  shown above: request{'s' if len(again) > 1 else ''} {', '.join(again)}")
    for request in explanation.requests:
        if request.seq in shown:
            continue
        shown.add(request.seq)
        lines += ["", *(f"  {line}" for line in _request(request))]
        if judgement is None:
            lines += [f"  {line}" for line in _exchange(request)]
    return "\n".join(lines)


def _request(request: Explained) -> list[str]:
    ended = [request.result, request.error_kind, request.refusal, request.source]
    told = " · ".join(visible(text) for text in ended if text)
    status = f", HTTP {request.status_code}" if request.status_code is not None else ""
    kind = f"{request.user_class}{', streamed' if request.streamed else ''}{f', {request.model}' if request.model else ''}"
    lines = [
        f"request {request.seq} ({visible(request.request_id or NOTHING)}) {told}{status}; "
        f"{visible(kind)} in {visible(request.phase)}"
    ]
    lines += [
        f"  fault {visible(f'{fault.kind} at {fault.at}')} stood from {moment(fault.requested_ns)} "
        f"to {moment(fault.proved_clear_ns)}"
        for fault in request.faults
    ]
    if request.spans is None:
        lines.append(f"  intended at {moment(request.intended_ns)}, {request.where.value}")
    else:
        lines.append(f"  intended at {moment(request.intended_ns)}, ended {_s(request.spans.total_ns)} later")
        lines += [f"  {_bar(request.spans)}", f"  {_parts(request.spans)}"]
    lines += [f"  {_call(call, request)}" for call in request.calls]
    if not request.calls and request.started_ns is not None:
        lines.append("  the provider has no call of it on record")
    lines += [f"  {visible(line.file)}:{line.number}: {visible(line.text, longest=_LONGEST_LINE)}" for line in request.lines]
    if not request.lines:
        lines.append("  no log line names it")
    return lines


def _exchange(request: Explained) -> list[str]:
    """Return what was asked and answered, for who names one request: for many it would bury the rest."""
    kept = request.exchange
    if kept is None:
        return ["what it asked and was answered was not kept: only bad requests and some good ones are"]
    parts = (("asked, keys masked:", kept.request), (f"answered, {count(kept.response_bytes)} bytes:", kept.response))
    lines = []
    for words, text in parts:
        told = [line for line in text.replace("\r\n", "\n").split("\n") if line]
        lines += [words, *(f"  {visible(line, longest=_LONGEST_LINE)}" for line in told[:_MOST_LINES])]
        if len(told) > _MOST_LINES:
            lines.append(f"  ({count(len(told) - _MOST_LINES)} more lines)")
    return lines


def _bar(spans: Spans) -> str:
    total = max(spans.total_ns, 1)
    drawn, at_ns = "", 0
    for name, sign, _ in _PARTS:
        at_ns += max(getattr(spans, name), 0)
        drawn += sign * (round(_BAR * at_ns / total) - len(drawn))
    return f"|{drawn.ljust(_BAR)[:_BAR]}|"


def _parts(spans: Spans) -> str:
    if not spans.calls:
        return f"! dispatch {_s(spans.dispatch_ns)}, · no call upstream for {_s(spans.before_ns)}"
    shown = [(sign, words, getattr(spans, name)) for name, sign, words in _PARTS]
    return ", ".join(f"{sign} {words} {_s(value)}" for sign, words, value in shown if value or words != "between calls")


def _call(call: Call, request: Explained) -> str:
    begun_ns = request.intended_ns if request.started_ns is None else request.started_ns
    took = NOTHING if call.ended_ns is None else _s(call.ended_ns - call.received_ns)
    first = "" if call.first_content_ns is None else f", first token after {_s(call.first_content_ns - call.received_ns)}"
    fault = f", fault {visible(call.fault)}" if call.fault else ""
    status = f", HTTP {call.status_code}" if call.status_code is not None else ""
    to = visible(f"{call.endpoint} ({call.model})")
    after = f"{_s(call.received_ns - begun_ns)} after the send"
    told = f"took {took}{first}{status}, {visible(call.ended)}{fault}, {dollars(call.cost_usd)}"
    return f"call {visible(call.call_id)} to {to} {after}: {told}"


def _s(value_ns: int) -> str:
    return seconds(value_ns / 1e9)
