"""Cutting a document into passages that a model can be shown."""

import re

PASSAGE_CHARACTERS = 800
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+")


def cut(body: str, *, limit: int = PASSAGE_CHARACTERS) -> list[str]:
    """Return the passages of a document in order: paragraphs, packed up to `limit` characters; none is longer."""
    passages: list[str] = []
    current = ""
    for paragraph in re.split(r"\n\s*\n", body):
        for part in _parts(" ".join(paragraph.split()) if len(paragraph) <= limit else paragraph, limit):
            if current and len(current) + 1 + len(part) > limit:
                passages.append(current)
                current = part
            else:
                current = f"{current} {part}".strip()
    if current:
        passages.append(current)
    return passages


def _parts(text: str, limit: int) -> list[str]:
    """Return the text whole, or by sentences, or, where one is longer still, by length."""
    if len(text) <= limit:
        return [text] if text else []
    sentences = [" ".join(s.split()) for s in _SENTENCE_END.split(text)]
    return [s[i : i + limit] for s in sentences for i in range(0, len(s), limit)]
