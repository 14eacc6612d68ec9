"""A real embedding model behind the port: OpenAI's `/embeddings`, bounded in time and size."""

import asyncio
import math
from collections.abc import Sequence

import aiohttp
import msgspec

from reference_service.retrieval.embedding import DIMENSIONS, EmbeddingUnavailable


class Embedded(msgspec.Struct):
    """One vector of the answer."""

    embedding: list[float]
    index: int = 0


class Embeddings(msgspec.Struct):
    """The answer."""

    data: list[Embedded]


class ProviderEmbedder:
    """Asks `url`/embeddings with the model `model`. key: sent as a bearer token."""

    def __init__(self, url: str, *, key: str, model: str, limit_s: float) -> None:
        self.name = f"provider:{model}"
        self._url = f"{url}/embeddings"
        self._key = key
        self._model = model
        self._limit_s = limit_s
        self._decoder = msgspec.json.Decoder(Embeddings)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the vectors in the order of the texts. Raises EmbeddingUnavailable."""
        body = msgspec.json.encode({"model": self._model, "input": list(texts), "dimensions": DIMENSIONS})
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        try:
            async with asyncio.timeout(self._limit_s), aiohttp.ClientSession(trust_env=False) as session:
                answer = await session.post(self._url, data=body, headers=headers, allow_redirects=False)
                raw = await answer.content.read(len(texts) * 64 * DIMENSIONS + 65536)
                if answer.status != 200:
                    raise EmbeddingUnavailable(f"status {answer.status}")
            vectors = [e.embedding for e in sorted(self._decoder.decode(raw).data, key=lambda e: e.index)]
        except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError) as error:
            raise EmbeddingUnavailable(type(error).__name__) from error
        if len(vectors) != len(texts) or any(len(v) != DIMENSIONS or not all(map(math.isfinite, v)) for v in vectors):
            raise EmbeddingUnavailable(f"not {len(texts)} vectors of {DIMENSIONS} numbers")
        return vectors
