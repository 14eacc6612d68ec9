"""Bytes sealed under a passphrase: AES-256-GCM, the key by scrypt from a salt of its own."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"sealed1\n"


def seal(content: bytes, passphrase: str) -> bytes:
    """Return the content so that only the passphrase opens it, and a changed byte is noticed."""
    salt, nonce = os.urandom(16), os.urandom(12)
    return MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, content, MAGIC)


def open_sealed(sealed: bytes, passphrase: str) -> bytes:
    """Return what was sealed. Raises ValueError for another passphrase or a changed byte."""
    rest = sealed.removeprefix(MAGIC)
    if rest == sealed or len(rest) < 44:
        raise ValueError("this was not sealed by us")
    try:
        return AESGCM(_key(passphrase, rest[:16])).decrypt(rest[16:28], rest[28:], MAGIC)
    except InvalidTag as error:
        raise ValueError("another passphrase, or changed bytes") from error


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(passphrase.encode())
