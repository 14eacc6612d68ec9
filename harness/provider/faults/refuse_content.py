"""A model that will not answer."""

from harness.model.fault import Parameter
from harness.provider.draft import Draft, Operation
from harness.provider.faults.base import ProviderFault

_WORDS = ("I'm ", "sorry, ", "but ", "I ", "can't ", "help ", "with ", "that.")


class RefuseContent(ProviderFault):
    """Refuses with status 200: in words, in the `refusal` field, or cut by the provider's own content filter."""

    PARAMETERS = (
        Parameter(name="how", type=str, doc="in what shape", choices=("text", "refusal_field", "content_filter"), default="text"),
    )

    def edit_draft(self, draft: Draft) -> None:
        """Refuse."""
        if draft.operation is not Operation.CHAT:
            return
        how = self.text("how")
        if how == "content_filter":
            draft.words = draft.words[:3]
            draft.finish_reason = "content_filter"
        else:
            draft.words = _WORDS[: draft.max_tokens]
            draft.finish_reason = "stop" if len(draft.words) == len(_WORDS) else "length"
        if how == "refusal_field":
            draft.content_field = "refusal"
        draft.shown_after.append((1, self))
