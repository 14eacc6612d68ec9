"""What a plan expects to spend at the simulated provider, with every call to the large model and none cached."""

from collections.abc import Sequence

from harness.model.plan import UserClass
from harness.model.simulated import SIMULATED_MODELS, count_tokens

EXPECTED_COMPLETION_TOKENS = 60
"""The median length of a simulated answer."""


def planned_cost_usd(requests: float, mix: Sequence[UserClass]) -> float:
    """Return the expected dollars of `requests` requests dealt over the mix.

    An upper figure on purpose: greetings and escalations need no model, and questions that repeat are cached.
    """
    large = SIMULATED_MODELS["sim-large"]
    total_usd = 0.0
    for user_class in mix:
        model = SIMULATED_MODELS.get(user_class.model or "", large)
        prompt_tokens = sum(count_tokens(prompt) for prompt in user_class.prompts) / len(user_class.prompts)
        completion_tokens = min(EXPECTED_COMPLETION_TOKENS, user_class.max_tokens or EXPECTED_COMPLETION_TOKENS)
        total_usd += user_class.weight_ratio * model.cost_usd(round(prompt_tokens), completion_tokens)
    return requests * total_usd
