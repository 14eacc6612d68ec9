"""What was asked and answered, of the requests whose bodies were kept: `exchanges/worker-NNN.jsonl`, without a secret."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.errors import RunDirectoryError


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptExchange:
    """One request as it was sent and its answer as it came, keys masked, both cut. response_bytes: how long the answer was."""

    seq: int
    request: str
    response: str
    response_bytes: int


def kept_exchanges(run: Path, seqs: Collection[int]) -> dict[int, KeptExchange]:
    """Return what was kept of these requests, by number; a line that cannot be read is left out. Raises RunDirectoryError."""
    wanted = set(seqs)
    found: dict[int, KeptExchange] = {}
    decoder = msgspec.json.Decoder(KeptExchange)
    for path in sorted((run / "exchanges").glob("worker-*.jsonl")) if wanted else ():
        try:
            with path.open("rb") as file:
                for line in file:
                    try:
                        kept = decoder.decode(line)
                    except (msgspec.MsgspecError, UnicodeDecodeError):
                        continue  # a last line cut short
                    if kept.seq in wanted:
                        found[kept.seq] = kept
        except OSError as error:
            raise RunDirectoryError(f"{path}: {error.strerror}") from error
    return found
