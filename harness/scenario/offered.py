"""What a scenario asks of a target that it does not offer, or that its limits forbid: told with the key that is missing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from harness.arrivals import peak_rps as peak_of
from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.fault import Layer
from harness.model.fault_kinds import FAULT_KINDS
from harness.model.fault_kinds.deploy import SERVICE
from harness.model.fault_kinds.process import ENDING_KINDS
from harness.model.fault_kinds.provider import RELAYED
from harness.model.fault_kinds.requests import beyond_toxiproxy
from harness.model.figures import dollars
from harness.model.objective import Objective, Quantity
from harness.model.plan import ArrivalSegment, Burst, Protocol, UserClass
from harness.model.signals import Signals
from harness.model.simulated import SIMULATED_MODELS
from harness.model.target import Offer
from harness.scenario.document import ScenarioDocument

_OF_STREAMS = frozenset({Quantity.TTFT, Quantity.ITL, Quantity.TPOT, Quantity.STREAM_INTEGRITY, Quantity.ORDER})


def fault_not_offered(at: str, kind: str, parameters: Mapping[str, object], offer: Offer) -> str | None:
    """Return why a fault of a known kind cannot be put there, naming the key of the description; None where it can."""
    layer = FAULT_KINDS[kind].layer if kind in FAULT_KINDS else None
    if offer.toxics_of_toxiproxy and layer is Layer.TRANSPORT and (why := beyond_toxiproxy(kind, parameters)) is not None:
        return f"{why}, and the links of this target run through one; the embedded target has a fault proxy that can"
    if at in offer.relayed and layer is Layer.PROVIDER and kind not in RELAYED:
        return (
            f"{at} passes calls on to a real provider (`upstream`), whose answers nobody here writes; there are "
            f"{', '.join(sorted(RELAYED))}"
        )
    if layer is Layer.PROVIDER and at not in offer.relayed and (why := _asks_for_nobody(parameters)) is not None:
        return why
    if at == SERVICE and at not in offer.places:
        return f"nobody here knows how the {offer.reference.kind} target is deployed, so no fault can be put at {at}"
    if at in offer.missing:
        return f"the target's description has no `{offer.missing[at]}`"
    if at in offer.freeze_only and kind in ENDING_KINDS:
        return f"a {kind} would end {at} for good: the target's description has no `{at}.start`; use freeze"
    if offer.limits is not None and not any(fnmatchcase(at, pattern) for pattern in offer.limits.faults):
        return (
            f"`limits.faults` of the target's description does not allow faults at {at}: it says {', '.join(offer.limits.faults)}"
        )
    return None


def _asks_for_nobody(parameters: Mapping[str, object]) -> str | None:
    """Return why a trigger by model would never be met at the simulated provider."""
    model = parameters.get("only_model")
    if model is None or model in SIMULATED_MODELS:
        return None
    known = ", ".join(SIMULATED_MODELS)
    return f"only_model is {model!r}; the simulated provider has {known}{did_you_mean(str(model), SIMULATED_MODELS)}"


def find_not_offered(
    document: ScenarioDocument,
    objectives: Sequence[Objective],
    mix: Iterable[UserClass],
    bursts: Sequence[Burst],
    offer: Offer,
    findings: Findings,
) -> None:
    """Note objectives, models and checks that a described target has nothing for."""
    if offer.reference.kind != "external":
        return
    by_line = {findings.line_of(("objectives", index)): index for index in range(len(document.objectives))}
    for objective in objectives:
        if (keys := _evidence_missing(objective, offer)) is not None:
            path: Path = ("objectives", by_line.get(objective.line or 0, 0))
            findings.add(path, f"{objective.written}: nothing would tell; the target's description has {keys}", not_offered=True)
    for part in mix:
        if not _knows(offer, part.model):
            findings.add(("load", "mix", part.name, "model"), _no_model(part.model), not_offered=True)
    for burst in {burst.check_id: burst for burst in bursts}.values():
        path = ("checks",)
        if not _knows(offer, burst.user_class.model):
            findings.add(path, f"{burst.check_id}: {_no_model(burst.user_class.model)}", not_offered=True)
        if "provider.primary" not in offer.places:
            findings.add(
                path, f"{burst.check_id}: nothing would meter it; the target's description has no `provider`", not_offered=True
            )


def find_over_limit(
    document: ScenarioDocument,
    segments: Sequence[ArrivalSegment],
    bursts: Sequence[Burst],
    requests: int,
    cost_usd: float,
    offer: Offer,
    findings: Findings,
) -> None:
    """Note what goes beyond the limits to which the harness holds itself."""
    limits = offer.limits
    if limits is None:
        return
    peak_rps = max(peak_of(segment) for segment in segments)
    where: Path = ("load", "arrivals", "rate")
    if limits.rate_rps is not None and peak_rps > limits.rate_rps:
        findings.add(
            where, f"{peak_rps:g}/s is above `limits.rate_rps` of the target's description, {limits.rate_rps:g}", not_offered=True
        )
    if limits.requests is not None and requests > limits.requests:
        findings.add(
            where,
            f"{requests:,} requests are above `limits.requests` of the target's description, {limits.requests:,}",
            not_offered=True,
        )
    if limits.spend_usd is not None and cost_usd > limits.spend_usd:
        findings.add(
            where,
            f"{dollars(cost_usd, against=limits.spend_usd)} is above `limits.spend_usd` of the target's description, "
            f"{dollars(limits.spend_usd)}",
            not_offered=True,
        )
    at_once: dict[int, int] = {}
    for burst in bursts:
        at_once[burst.at_ns] = at_once.get(burst.at_ns, 0) + burst.count
    largest = max(at_once.values(), default=0)
    if limits.concurrency is not None and largest > limits.concurrency:
        what = f"a burst of {largest} at once is above `limits.concurrency` of the target's description, {limits.concurrency}"
        findings.add(("checks",) if document.checks else where, what, not_offered=True)


def spoken(user_class: UserClass, offer: Offer) -> UserClass:
    """Return the class as the target wants to be spoken to: a chat becomes the target's own message where it has one."""
    if offer.message is None or user_class.protocol is not Protocol.OPENAI_CHAT:
        return user_class
    return replace(user_class, protocol=Protocol.MESSAGE, plain=offer.message)


def find_streamed(
    document: ScenarioDocument, objectives: Sequence[Objective], mix: Iterable[UserClass], offer: Offer, findings: Findings
) -> None:
    """Note what needs streams or conversations, of a target that answers each question in one piece."""
    if offer.message is None:
        return
    by_line = {findings.line_of(("objectives", index)): index for index in range(len(document.objectives))}
    for objective in objectives:
        if objective.quantity in _OF_STREAMS or objective.streamed:
            path: Path = ("objectives", by_line.get(objective.line or 0, 0))
            what = f"{objective.written}: the target has no streams; its description says `protocol: message`"
            findings.add(path, what, not_offered=True)
    for part in mix:
        if part.follow_ups:
            what = f"{part.name} holds a conversation; the target's description says `protocol: message`"
            findings.add(("load", "mix", part.name), what, not_offered=True)


def tagged(user_class: UserClass, offer: Offer) -> UserClass:
    """Return the class with `[hs:SEQ]` before each prompt, where only that joins a request with the provider's calls."""
    if not offer.prompt_tag:
        return user_class
    return replace(user_class, prompts=tuple(f"[hs:{{n}}] {prompt}" for prompt in user_class.prompts))


def _evidence_missing(objective: Objective, offer: Offer) -> str | None:
    has_provider = "provider.primary" in offer.places
    signals = offer.signals
    if objective.quantity is Quantity.FALLBACK_SHARE and not has_provider and signals.fallback is None and not signals.sources:
        return "neither `provider` nor `signals.fallback`"
    if objective.quantity is Quantity.REFUSAL_SHARE and objective.op == ">=" and not _has_rules(objective, signals):
        names = objective.refusals or ("guard",)
        return f"no {' and no '.join(f'`refusals.{name}`' for name in names)}"
    if objective.quantity is Quantity.SPEND and not has_provider and signals.cost is None:
        return "neither `provider` nor `signals.cost`"
    return None


def _has_rules(objective: Objective, signals: Signals) -> bool:
    """Return whether a refusal that an objective wants to see could be told from an error."""
    return any(not objective.refusals or refusal.value in objective.refusals for refusal, _ in signals.refusals)


def _knows(offer: Offer, model: str | None) -> bool:
    return offer.models is None or model is None or model == offer.model or model in offer.models


def _no_model(model: str | None) -> str:
    return f"it asks for the model {model!r}; the target's description has no `models.{model}`"
