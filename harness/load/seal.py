"""What master and workers say to each other, secret and unforgeable on a channel that is neither.

Locust's channel is plain ZeroMQ: whoever sees the network reads it, whoever reaches the port joins it. So every message of
ours is sealed with AES-256-GCM under a key from the run's token, bound to what it is and to a number that each side drew
for this one conversation: an old message, or one of another kind or worker, does not open.
Source: docs/decisions/0013-workers-on-other-machines.md
"""

import hashlib
import secrets
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.errors import ConfigurationError, LoadError, RunDirectoryError
from harness.rundir import codec

T = TypeVar("T")
LEAST_TOKEN = 16
_NONCE_BYTES = 12


class Seal:
    """Seals and opens messages under one token. Raises ConfigurationError on a token that can be guessed."""

    def __init__(self, token: str) -> None:
        if len(token) < LEAST_TOKEN:
            raise ConfigurationError(f"the workers' token has {len(token)} characters; give it at least {LEAST_TOKEN}")
        # A person may have typed it: scrypt makes each guess cost 16 MB and tens of milliseconds.
        self._cipher = AESGCM(hashlib.scrypt(token.encode(), salt=b"harness.load/1", n=2**14, r=8, p=1, dklen=32))

    def close(self, scope: str, value: object) -> bytes:
        """Return a value as sealed bytes. scope: what the reader must expect it to be."""
        return self.close_bytes(scope, codec.to_json(value))

    def open(self, scope: str, data: object, type_: type[T]) -> T:
        """Return what was sealed. Raises LoadError where it was not sealed with this token, as this, or is no `type_`."""
        try:
            return codec.from_json(self.open_bytes(scope, data), type_, where=scope)
        except RunDirectoryError:
            raise LoadError(f"the message {scope.split('/', maxsplit=1)[0]!r} is of another version of the harness") from None

    def close_bytes(self, scope: str, plain: bytes) -> bytes:
        """Return bytes, sealed."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, scope.encode())

    def open_bytes(self, scope: str, data: object) -> bytes:
        """Return the bytes that were sealed. Raises LoadError."""
        if isinstance(data, bytes) and len(data) > _NONCE_BYTES:
            try:
                return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], scope.encode())
            except InvalidTag:
                pass
        raise LoadError(f"a message {scope.split('/', maxsplit=1)[0]!r} was not sealed with this run's token")
