"""A question that is too dear: a way to read a user's account from outside, with nothing bought.

Whoever asks for more than a whole budget buys is refused whatever was spent, and the refusal says what is spent and held.
"""

from harness.checks.planned import chat
from harness.model.simulated import SIMULATED_MODELS, count_tokens

MODEL = "sim-large"
_SENTENCE = (
    "Explain in full sentences how the service contract {n} for a machine is settled when it was moved between two sites in the "
    "middle of a quarter: who pays for the transport, how the fixed sum of the month is divided, what happens with the hours "
    "that were counted while the machine was tested after its arrival, and how both sites can see from the statement that "
    "nothing was charged twice. Say also which papers are needed, who signs them, where they are kept and for how long. "
)
_MAX_TOKENS = 400
_TOO_DEAR = (_SENTENCE * 9).strip()
"""Less than the 5000 characters that a message may have."""


def too_dear(number: int) -> str:
    """Return the body of a question that costs more than `too_dear_usd`."""
    return chat(_TOO_DEAR.format(n=number), model=MODEL, max_tokens=_MAX_TOKENS)


def too_dear_usd() -> float:
    """Return what a service must hold for it: a budget below is never enough."""
    return SIMULATED_MODELS[MODEL].cost_usd(count_tokens(_TOO_DEAR), _MAX_TOKENS)
