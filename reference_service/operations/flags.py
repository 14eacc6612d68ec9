"""Feature flags through the OpenFeature SDK: a share of the users, the same ones each time, and a switch that ends it.

File: `{"enhanced-rag": {"enabled": true, "rollout": 0.2}}`. A user is in when the hash of flag and user falls below the
share: on every instance, in every process, and the users of 20 % are among those of 50 %. `enabled: false` is the kill
switch. The file is read again when it changes; one that cannot be read leaves the last good one in force.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider import AbstractProvider, Metadata
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

BUCKETS = 10_000
FlagValue = Sequence["FlagValue"] | Mapping[str, "FlagValue"] | bool | int | float | str


class Flag(BaseModel):
    """One feature. rollout: share of the users, 0 to 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    enabled: bool
    rollout: float = Field(ge=0, le=1)


_FLAGS = TypeAdapter(dict[str, Flag])


def parse_flags(text: str) -> dict[str, Flag]:
    """Return the flags in `text`. Raises ValueError, naming what is wrong."""
    try:
        return _FLAGS.validate_json(text)
    except ValidationError as error:
        found = error.errors(include_input=False)
        raise ValueError("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found)) from error


def bucket_of(flag: str, user: str) -> int:
    """Return 0..9999: where a user stands in a feature's rollout, for ever."""
    return int.from_bytes(sha256(f"{flag}\0{user}".encode()).digest()[:8]) % BUCKETS


class RolloutProvider(AbstractProvider):
    """Answers OpenFeature's boolean flags from a file. The targeting key is the user; without one, nobody is in."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._flags: dict[str, Flag] = {}
        self.problem: str | None = None

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata(name="rollout-file")

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Return whether the feature is on for the user of the context; an unknown flag is its default."""
        self._refresh()
        flag = self._flags.get(flag_key)
        if flag is None:
            return FlagResolutionDetails(value=default_value, reason=Reason.DEFAULT)
        if not flag.enabled:
            return FlagResolutionDetails(value=False, reason=Reason.DISABLED)
        user = evaluation_context.targeting_key if evaluation_context is not None else None
        is_in = user is not None and self.place(flag_key, user) < flag.rollout * BUCKETS
        return FlagResolutionDetails(value=is_in, reason=Reason.SPLIT)

    def place(self, flag_key: str, user: str) -> int:
        """Return the user's bucket."""
        return bucket_of(flag_key, user)

    def taken(self, flags: dict[str, Flag]) -> dict[str, Flag]:
        """Return the flags as they are put in force."""
        return flags

    def _refresh(self) -> None:
        try:
            now = self._path.stat()
            seen = (now.st_mtime_ns, now.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            self._flags = self.taken(parse_flags(self._path.read_text(encoding="utf-8")))
            self.problem = None
        except (OSError, ValueError) as error:
            self.problem = f"{self._path}: {error}"

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Return the default: these flags are on or off."""
        del flag_key, evaluation_context
        return FlagResolutionDetails(value=default_value, reason=Reason.DEFAULT)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Return the default: these flags are on or off."""
        del flag_key, evaluation_context
        return FlagResolutionDetails(value=default_value, reason=Reason.DEFAULT)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Return the default: these flags are on or off."""
        del flag_key, evaluation_context
        return FlagResolutionDetails(value=default_value, reason=Reason.DEFAULT)

    def resolve_object_details(  # type: ignore[override]  # the SDK's recursive alias is private
        self, flag_key: str, default_value: FlagValue, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[FlagValue]:
        """Return the default: these flags are on or off."""
        del flag_key, evaluation_context
        return FlagResolutionDetails(value=default_value, reason=Reason.DEFAULT)


def read_flags(path: Path) -> dict[str, Flag]:
    """Return the flags of a file. Raises OSError, ValueError."""
    return parse_flags(path.read_text(encoding="utf-8"))


def write_flags(path: Path, flags: Mapping[str, Flag]) -> None:
    """Replace the file at once: a reader sees the old flags or the new ones."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({name: flag.model_dump() for name, flag in flags.items()}, indent=2) + "\n", encoding="utf-8")
    new.replace(path)
