"""Which features are on for this user, by the flags' file (`operations/flags.py`) and through OpenFeature's client.

Without SERVICE_FLAGS nothing is read and every feature is off. The user's name decides: the same on every instance.
"""

from pathlib import Path

from openfeature import api
from openfeature.evaluation_context import EvaluationContext

from reference_service.operations.flags import RolloutProvider
from reference_service.turn import Turn

ENHANCED_RAG = "enhanced-rag"
FEATURES = (ENHANCED_RAG,)
"""`enhanced-rag`: knowledge is searched for the user's last two messages, so that a follow-up finds what it is about."""
_DOMAIN = "gateway"


class Features:
    """Sets `features`. flags: the file's path, empty for none."""

    def __init__(self, flags: str, provider: type[RolloutProvider]) -> None:
        self._provider = provider(Path(flags)) if flags else None
        if self._provider is not None:
            api.set_provider(self._provider, domain=_DOMAIN)
        self._client = api.get_client(_DOMAIN)

    @property
    def problem(self) -> str | None:
        """Return why the file that is in force is not the one on disk, if so."""
        return None if self._provider is None else self._provider.problem

    async def __call__(self, turn: Turn) -> None:
        """Never fails: a file that cannot be read leaves the last good one in force."""
        if self._provider is None:
            return
        context = EvaluationContext(targeting_key=turn.who.name)
        turn.features = tuple(name for name in FEATURES if self._client.get_boolean_value(name, False, context))
