"""What a plan expects to spend at the simulated provider, with every call to the large model and none cached."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from harness.model.plan import UserClass
from harness.model.simulated import SIMULATED_MODELS, SimulatedModel, count_tokens

EXPECTED_COMPLETION_TOKENS = 60
"""The median length of a simulated answer."""


def planned_cost_usd(
    requests: float, mix: Sequence[UserClass], prices: Mapping[str, tuple[float, float]] = MappingProxyType({})
) -> float:
    """Return the expected dollars of `requests` requests dealt over the mix.

    An upper figure on purpose: greetings and escalations need no model, and questions that repeat are cached.
    prices: what a described target's models cost, (input, output) dollars per million tokens; they go before ours.
    """
    large = SIMULATED_MODELS["sim-large"]
    total_usd = 0.0
    for user_class in mix:
        model = SIMULATED_MODELS.get(user_class.model or "", large)
        if (told := prices.get(user_class.model or "")) is not None:
            model = SimulatedModel(name=user_class.model or "", input_usd_per_mtok=told[0], output_usd_per_mtok=told[1])
        prompt_tokens = sum(count_tokens(prompt) for prompt in user_class.prompts) / len(user_class.prompts)
        completion_tokens = min(EXPECTED_COMPLETION_TOKENS, user_class.max_tokens or EXPECTED_COMPLETION_TOKENS)
        total_usd += user_class.weight_ratio * model.cost_usd(round(prompt_tokens), completion_tokens)
    return requests * total_usd
