"""Is the answer fit to leave: secrets are held back and personal data is masked, streamed or not.

Of a stream, text that could be the start of something forbidden is held until it is known not to be; all else passes
at once, so that the rhythm of the tokens stays.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from reference_service.answer_privacy import Private, masked
from reference_service.errors import ContentBlocked
from reference_service.turn import Turn

# rule: how it starts, and the whole of it. No match is longer than LONGEST.
_RULES = {
    "secret-key": ("sk-", re.compile(r"sk-[A-Za-z0-9_-]{16,64}")),
    "private-key": ("-----BEGIN", re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")),
    "aws-key": ("AKIA", re.compile(r"AKIA[0-9A-Z]{16}")),
    "prompt-leak": ("<|im_", re.compile(r"<\|im_(?:start|end)\|>")),
}
LONGEST = 96
# Nearly every piece has no rule's start in it and does not end like one: two looks, and it may go.
_STARTS = re.compile("|".join(re.escape(start) for start, _ in _RULES.values()))
_ENDS = frozenset(character for start, _ in _RULES.values() for character in start[:-1])


class ScreenAnswer:
    """Refuses a forbidden answer and masks personal data; of a stream, puts a filter in its way."""

    async def __call__(self, turn: Turn) -> None:
        """Raise ContentBlocked for a whole answer; a stream raises it when the text comes by."""
        if turn.flow is not None:
            turn.flow = self.filtered(turn, turn.flow)
        elif turn.answer is not None:
            if (rule := forbidden(turn.answer.text)) is not None:
                raise blocked(rule)
            turn.answer = replace(turn.answer, text=masked(turn.answer.text, known_to(turn)))

    async def filtered(self, turn: Turn, flow: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
        """Yield what may leave; at the end `answer` is what left, so that nothing else is kept."""
        screened, private, sent = Screened(), Private(known_to(turn)), []
        async with aclosing(flow) as pieces:
            async for piece in pieces:
                if text := private.take(screened.take(piece)):
                    sent.append(text)
                    yield text
        if text := private.take(screened.rest()) + private.rest():
            sent.append(text)
            yield text
        if turn.answer is not None:
            turn.answer = replace(turn.answer, text="".join(sent))


def known_to(turn: Turn) -> str:
    """Return what the asker has said or may read in the knowledge base: no secret from them."""
    said = (*(m.content for m in turn.asked.messages), *(p.text for p in turn.passages))
    return "\n".join(said)


def forbidden(text: str) -> str | None:
    """Return the rule that `text` breaks, or None."""
    return next((rule for rule, (start, whole) in _RULES.items() if start in text and whole.search(text)), None)


def blocked(rule: str) -> ContentBlocked:
    """Return the refusal of an answer."""
    return ContentBlocked("The answer was refused by a content rule.", param="answer", details={"rule": rule})


class Screened:
    """The text of a stream without what is forbidden: what may yet become so is held back."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, piece: str) -> str:
        """Return what may leave now that `piece` has come. Raises ContentBlocked."""
        text = self._held + piece
        if _STARTS.search(text) is None and text[-1:] not in _ENDS:
            self._held = ""
            return text
        if (rule := forbidden(text)) is not None:
            raise blocked(rule)
        safe = _safe_length(text)
        self._held = text[safe:]
        return text[:safe]

    def rest(self) -> str:
        """Return what was held at the end: nothing can follow it any more."""
        held, self._held = self._held, ""
        return held


def _safe_length(text: str) -> int:
    """Return how much of the beginning of `text` no rule can still reach into."""
    safe = len(text)
    for start, _ in _RULES.values():
        at = text.find(start, max(0, len(text) - LONGEST))
        if at >= 0:
            safe = min(safe, at)
            continue
        for length in range(min(len(start) - 1, len(text)), 0, -1):
            if text.endswith(start[:length]):
                safe = min(safe, len(text) - length)
                break
    return safe
