"""Is it an attack: the rules of `screening.py` on every message of the user, and on all of them in a row."""

from reference_service.errors import ContentBlocked
from reference_service.screening import matched_rule
from reference_service.turn import Turn


class Screen:
    """Refuses a message that a rule matches."""

    async def __call__(self, turn: Turn) -> None:
        """Raise ContentBlocked with the rule's id; the message itself is never repeated."""
        texts = [m.content for m in turn.asked.messages if m.role != "assistant"]
        if len(texts) > 1:
            # An attack that was split over several messages, between words or within one.
            texts += [" ".join(texts), "".join(texts)]
        for text in texts:
            rule = matched_rule(text)
            if rule is not None:
                raise ContentBlocked("This message was refused by a content rule.", param="messages", details={"rule": rule})
