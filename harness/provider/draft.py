"""What one answer will say and when, before it becomes bytes: the semantic side that faults may edit."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model.simulated import SimulatedModel
from harness.provider.script import Part

if TYPE_CHECKING:
    from harness.provider.faults.base import ProviderFault


class Operation(enum.Enum):
    """What the caller asked for."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error status in place of an answer; status_code None closes the connection before any byte."""

    fault: ProviderFault | None
    status_code: int | None
    message: str = ""
    error_type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    abruptly: bool = False


@dataclass(slots=True, kw_only=True)
class Draft:
    """One answer. Tokens are words; waits are nanoseconds.

    active: calls under way on the endpoint, this one included. shown_*: what the answer claims, true or not.
    blank_chunks: None for content as it is; 0 for empty `choices` throughout, N for N empty ones before the content.
    billed_completion_tokens: what the meter bills in place of the tokens that were generated.
    edit_body: the last word on the JSON of an answer that is not streamed.
    opening: parts before the head. shown_after: a fault has touched the call once N content chunks (0: the head) are out;
    shown_in_usage, shown_at_end: once the usage, or all, is out. A whole body is all of this at once.
    """

    call_id: str
    operation: Operation
    model: SimulatedModel
    streamed: bool
    chunked: bool
    include_usage: bool
    max_tokens: int | None
    active: int
    prompt_tokens: int
    words: tuple[str, ...]
    finish_reason: str
    first_wait_ns: int
    gap_ns: int
    created_s: int
    vectors: tuple[tuple[float, ...], ...] = ()
    shown_model: str = ""
    shown_usage_factor: float = 1.0
    usage_left_out: bool = False
    billed_completion_tokens: int | None = None
    content_type: str | None = None
    content_field: str = "content"
    copies: int = 1
    blank_chunks: int | None = None
    edit_body: Callable[[bytes], bytes] | None = None
    refusal: Refusal | None = None
    opening: list[Part] = field(default_factory=list)
    shown_after: list[tuple[int, ProviderFault]] = field(default_factory=list)
    shown_in_usage: list[ProviderFault] = field(default_factory=list)
    shown_at_end: list[ProviderFault] = field(default_factory=list)

    def text(self) -> str | None:
        """Return what a client reads of the whole answer; None where a fault makes that another text than the words."""
        as_written = self.copies == 1 and self.blank_chunks is None and self.content_field == "content"
        return "".join(self.words) if as_written and self.edit_body is None and self.refusal is None else None

    def usage(self) -> tuple[int, int]:
        """Return the prompt and completion tokens that the answer claims."""
        billed = len(self.words) if self.billed_completion_tokens is None else self.billed_completion_tokens
        return round(self.prompt_tokens * self.shown_usage_factor), round(billed * self.shown_usage_factor)
