"""Personal data at rest: sealed with AES-256-GCM, by keys that can be changed without losing what older ones sealed.

SERVICE_ENCRYPTION_KEYS is `id:base64,id:base64`: the first seals, all of them open. `python -m reference_service.sealing
new-key` prints one; `reseal` seals every row again with the first key, after which the others can be left out; `status`
counts rows by key. Without the setting a key is derived from the service's other secrets, and `/ready` says so.
"""

import asyncio
import base64
import binascii
import json
import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from reference_service.errors import SettingsError
from reference_service.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
DERIVED = "derived"
COLUMNS = (("message", "id", "body_sealed"), ("message", "id", "answer_sealed"), ("escalation", "request_id", "question_sealed"))


class Unsealable(Exception):  # noqa: N818 - a state of the data, not a fault of the program
    """The data was changed, belongs elsewhere, or was sealed with a key that is not given."""


class Sealer:
    """Seals and opens. keys: 32 bytes each by name, the first one seals. A text is bound to the place it was sealed for."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.current = next(iter(self._keys))

    def seal(self, data: bytes, place: str) -> bytes:
        """Return `data` sealed for `place`, such as `message:ID`."""
        name = self.current.encode()
        nonce = secrets.token_bytes(12)
        text: bytes = self._cipher(self.current).encrypt(nonce, data, place.encode())
        return bytes([1, len(name)]) + name + nonce + text

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return what was sealed. Raises Unsealable."""
        from cryptography.exceptions import InvalidTag

        name = key_of(sealed)
        if name not in self._keys:
            raise Unsealable(f"sealed with key {name}, which is not among those given")
        at = 2 + len(name)
        try:
            text: bytes = self._cipher(name).decrypt(sealed[at : at + 12], sealed[at + 12 :], place.encode())
        except (InvalidTag, ValueError) as error:
            raise Unsealable(f"not what was sealed for {place.partition(':')[0]}") from error
        return text

    def _cipher(self, name: str) -> Any:
        # Only here: a process that seals nothing does not load it.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._keys[name])


def key_of(sealed: bytes) -> str:
    """Return the name of the key that something was sealed with. Raises Unsealable."""
    if len(sealed) < 2 or sealed[0] != 1 or len(sealed) < 2 + sealed[1] + 28:
        raise Unsealable("not a sealed text")
    return sealed[2 : 2 + sealed[1]].decode("ascii", "replace")


def sealer_for(settings: Settings, kind: type[Sealer] = Sealer) -> Sealer:
    """Return the sealer that the settings describe, of one kind. Raises SettingsError; keys are never shown."""
    if not settings.encryption_keys:
        secret = f"{urlsplit(settings.database_url).password}|{urlsplit(settings.store_url).password}|{settings.provider_key}"
        return kind({DERIVED: sha256(b"reference-service sealing key\0" + secret.encode()).digest()})
    keys: dict[str, bytes] = {}
    for number, part in enumerate(settings.encryption_keys.split(","), 1):
        name, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not _NAME.fullmatch(name) or len(key) != 32 or name in keys:
            raise SettingsError(f"SERVICE_ENCRYPTION_KEYS: entry {number} is not NAME:BASE64 of 32 bytes under its own name")
        keys[name] = key
    return kind(keys)


async def reseal(connection: Any, sealer: Sealer) -> int:
    """Seal every row again that another key sealed; return how many. May run while the service does. Raises Unsealable."""
    done = 0
    for table, key, column in COLUMNS:
        while True:
            async with connection.transaction():
                rows = await connection.fetch(
                    f"select {key} as id, {column} as sealed from {table} where {column} is not null "  # noqa: S608 - names of ours
                    f"and substring({column} from 3 for get_byte({column}, 1)) <> $1 limit 200 for update",
                    sealer.current.encode(),
                )
                for row in rows:
                    place = f"{table}:{row['id']}:{column}"
                    await connection.execute(
                        f"update {table} set {column} = $1 where {key} = $2",  # noqa: S608 - names of ours
                        sealer.seal(sealer.open(row["sealed"], place), place),
                        row["id"],
                    )
            done += len(rows)
            if not rows:
                break
    return done


async def counted(connection: Any) -> dict[str, int]:
    """Return how many texts each key has sealed."""
    found: Counter[str] = Counter()
    for table, _, column in COLUMNS:
        rows = await connection.fetch(f"select {column} as sealed from {table} where {column} is not null")  # noqa: S608 - ours
        found.update(key_of(row["sealed"]) for row in rows)
    return dict(found)


async def run(settings: Settings, command: str) -> dict[str, object]:
    """Do what the command line asks. Raises SettingsError, Unsealable."""
    sealer = sealer_for(settings)
    connection = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        if command == "reseal":
            return {"event": "resealed", "rows": await reseal(connection, sealer), "key": sealer.current}
        return {"event": "status", "current": sealer.current, "rows_by_key": await counted(connection)}
    finally:
        await connection.close()


def main(arguments: Sequence[str]) -> int:
    """Run the program: 2 for wrong use or keys, 5 without a database."""
    try:
        match list(arguments):
            case ["new-key"]:
                sys.stdout.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
            case [("reseal" | "status") as command]:
                settings = Settings.from_environment(os.environ, needs=("database_url",))
                sys.stdout.write(json.dumps(asyncio.run(run(settings, command))) + "\n")
            case _:
                raise SettingsError("use: new-key | reseal | status")
    except (SettingsError, Unsealable) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        sys.stderr.write(f"the database could not be used: {type(error).__name__}: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
