"""What is sent: the user classes of a mix, and how many users share it."""

from collections.abc import Sequence

from harness.documents.findings import Findings
from harness.errors import did_you_mean
from harness.model.plan import ArrivalSegment, UserClass
from harness.model.target import Offer
from harness.scenario.classes import BUILT_IN_CLASSES
from harness.scenario.document import ClassDocument, ScenarioDocument

USERS_PER_RPS = 20
"""Users for each request per second, at a limit of 10 a minute each: an even deal then uses 30 % of it."""


def compile_mix(document: ScenarioDocument, offer: Offer, findings: Findings) -> tuple[UserClass, ...]:
    """Return the classes of the mix; notes unknown names and shares that do not sum to 1."""
    mix: list[UserClass] = []
    total = 0.0
    for name, part in document.load.mix.items():
        if isinstance(part, ClassDocument):
            total += part.share
            prompts, model, max_tokens = tuple(part.prompts), part.model, part.max_tokens
        else:
            total += part
            prompts, model, max_tokens = BUILT_IN_CLASSES.get(name, ()), None, None
        if not prompts:
            known = ", ".join(BUILT_IN_CLASSES)
            hint = did_you_mean(name, BUILT_IN_CLASSES)
            findings.add(
                ("load", "mix", name),
                f"no user class is called {name!r}; known are {known}{hint}; or give it `share` and `prompts` of its own",
            )
            continue
        weight = part.share if isinstance(part, ClassDocument) else part
        mix.append(UserClass(name=name, weight_ratio=weight, prompts=prompts, model=model or offer.model, max_tokens=max_tokens))
    if abs(total - 1) > 1e-9:
        findings.add(("load", "mix"), f"the shares of the mix sum to {total:.4g}; they must sum to 100%")
    return tuple(mix)


def users_needed(segments: Sequence[ArrivalSegment], offer: Offer) -> int:
    """Return how many users share the load, so that the target's own rate limit refuses none of it."""
    peak_rps = max(max(segment.rate_rps, segment.end_rate_rps or 0.0) for segment in segments)
    if offer.rate_limit_per_minute is None:
        return max(1, round(peak_rps))
    return max(1, -int(-peak_rps * USERS_PER_RPS * 10 // offer.rate_limit_per_minute))
