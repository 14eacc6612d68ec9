"""The simulated provider with models ten times as quick: for tests that ask much and look at no time. Started by `tests/forge.py`.

`sim-small` is as quick to its first token only, and keeps its pace from one to the next: pieces that are sent within a
millisecond are read as one, and some checks are about what comes in pieces.
"""

from dataclasses import replace

from harness.model.simulated import SIMULATED_MODELS
from harness.provider.__main__ import main as provide

TIMES = 10
IN_PIECES = "sim-small"


def main() -> int:
    """Run until SIGTERM, as `python -m harness.provider` with the same arguments."""
    for name, model in SIMULATED_MODELS.items():
        SIMULATED_MODELS[name] = replace(
            model,
            first_token_p50_ms=model.first_token_p50_ms / TIMES,
            first_token_p99_ms=model.first_token_p99_ms / TIMES,
            token_ms=model.token_ms / (1 if name == IN_PIECES else TIMES),
        )
    return provide()
