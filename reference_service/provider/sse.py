"""Server-sent events of a chat completion: bytes in, chunks out, no input or output of its own."""

import msgspec

from reference_service.provider.failure import Kind, ProviderFailure

MAX_LINE_BYTES = 256 * 1024


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds."""

    content: str | None = None


class Choice(msgspec.Struct):
    """One choice of a chunk; only the first counts."""

    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None


class ChunkUsage(msgspec.Struct, gc=False):
    """Tokens as the provider bills them."""

    prompt_tokens: int
    completion_tokens: int


class Chunk(msgspec.Struct):
    """One event. error: an error event inside a 200."""

    choices: list[Choice] = []
    usage: ChunkUsage | None = None
    error: object = None


class ChunkReader:
    """Cuts bytes into chunks. done: `[DONE]` was read; nothing after it counts."""

    def __init__(self) -> None:
        self._rest = b""
        self._decoder = msgspec.json.Decoder(Chunk)
        self.done = False

    def feed(self, data: bytes) -> list[Chunk]:
        """Return the chunks that `data` completes. Raises ProviderFailure(INVALID) on rubbish and on an error event."""
        is_one = data.startswith(b"data: {") and data.endswith(b"\n\n") and data.find(b"\n") == len(data) - 2
        if is_one and not self._rest and not self.done:
            return [self._chunk(data[6:-2])]  # one whole event, as nearly every read brings it
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_LINE_BYTES:
            raise ProviderFailure(Kind.INVALID)
        chunks = []
        for line in lines:
            if self.done or not line.startswith(b"data:"):
                continue
            payload = line[5:].strip()
            if payload == b"[DONE]":
                self.done = True
                continue
            chunks.append(self._chunk(payload))
        return chunks

    def _chunk(self, payload: bytes) -> Chunk:
        try:
            chunk = self._decoder.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProviderFailure(Kind.INVALID) from error
        if chunk.error is not None:
            raise ProviderFailure(Kind.INVALID)
        return chunk
