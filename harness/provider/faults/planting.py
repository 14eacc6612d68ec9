"""Text that is put into an answer in place of as many of its tokens, so that length and bill stay within bounds."""

import re

from harness.provider.draft import Draft, Operation
from harness.provider.faults.base import ProviderFault


def plant(draft: Draft, fault: ProviderFault, text: str, *, after_chunks: int, split: bool) -> None:
    """Put `text` behind `after_chunks` tokens, or as late as it fits; the fault counts once all of it is sent.

    split: in pieces of four characters, a token each, as a tokenizer would; else in one.
    """
    if draft.operation is not Operation.CHAT:
        return
    pieces = tuple(re.findall(r".{1,4}", text, re.DOTALL)) if split else (text,)
    if draft.max_tokens is not None and len(pieces) > draft.max_tokens:
        pieces = (text,)
    position = max(0, min(after_chunks, len(draft.words) - len(pieces)))
    draft.words = draft.words[:position] + pieces + draft.words[position + len(pieces) :]
    draft.shown_after.append((position + len(pieces), fault))
