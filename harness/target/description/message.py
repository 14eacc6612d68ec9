"""A described question as the load sends it: one template for every request, filled in at the send."""

import json
from urllib.parse import urlsplit

from harness.model.plan import PlainRequest
from harness.target.description.document import TargetDocument

MESSAGE_PLACEHOLDERS = ("prompt", "model", "n", "max_tokens")


def message_of(document: TargetDocument) -> PlainRequest | None:
    """Return the question's template; None where the target speaks OpenAI's chat."""
    if document.message is None:
        return None
    body = json.dumps(document.message.body, ensure_ascii=False).replace('"${max_tokens}"', "{max_tokens}")
    for name in MESSAGE_PLACEHOLDERS:
        body = body.replace(f"${{{name}}}", f"{{{name}}}")
    base = urlsplit(document.base_url).path.rstrip("/")
    return PlainRequest(path=base + document.message.url, body=body)
