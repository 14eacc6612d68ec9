"""Delivering answers to the operator's webhook, signed as standardwebhooks.com says.

The same `webhook-id` and the same body come again until a 2xx is seen: after a kill between the receiver's 200 and our
note of it, for one. A receiver that keeps the ids it has seen has each effect exactly once.
"""

import asyncio
import base64
import hmac
import uuid
from hashlib import sha256

import aiohttp
import msgspec

from reference_service.clock import wall_s


class Webhook:
    """One receiver. secret: empty for no signature."""

    def __init__(self, url: str, *, secret: str, limit_s: float) -> None:
        self._url = url
        self._secret = secret
        self._limit_s = limit_s

    async def deliver(self, message_id: uuid.UUID, status: str, answer: object) -> bool:
        """Send one answer; return whether it was taken. Never raises for the receiver's faults."""
        body = msgspec.json.encode({"id": str(message_id), "status": status, "answer": answer})
        at = str(int(wall_s()))
        headers = {"content-type": "application/json", "webhook-id": str(message_id), "webhook-timestamp": at}
        if self._secret:
            signed = hmac.new(self._secret.encode(), f"{message_id}.{at}.".encode() + body, sha256).digest()
            headers["webhook-signature"] = "v1," + base64.b64encode(signed).decode()
        try:
            async with asyncio.timeout(self._limit_s), aiohttp.ClientSession(trust_env=False) as session:
                answered = await session.post(self._url, data=body, headers=headers, allow_redirects=False)
                return 200 <= answered.status < 300
        except (TimeoutError, aiohttp.ClientError, OSError):
            return False
