"""A statement in a signed envelope: DSSE with Ed25519.

Source: https://github.com/secure-systems-lab/dsse, version 1.0.0 of the protocol and the envelope.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError
from harness.rundir.files import write_whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An envelope whose signature holds. key_id: sha256 of the public key that signed it."""

    payload: bytes
    payload_type: str
    key_id: str


def seal(payload: bytes, key_file: Path, payload_type: str = IN_TOTO) -> bytes:
    """Return the envelope of a payload, signed with a private key. Raises ConfigurationError."""
    key = read_private_key(key_file)
    envelope = {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [
            {"keyid": key_id(key.public_key()), "sig": base64.b64encode(key.sign(_encoded(payload_type, payload))).decode()}
        ],
    }
    return json.dumps(envelope, indent=1).encode() + b"\n"


def open_envelope(data: bytes, key_file: Path, *, where: str) -> Opened:
    """Return what is in an envelope that this key signed. Raises ConfigurationError on anything else."""
    from cryptography.exceptions import InvalidSignature

    key = read_public_key(key_file)
    try:
        envelope = json.loads(data)
        payload = base64.b64decode(envelope["payload"], validate=True)
        payload_type = str(envelope["payloadType"])
        signatures = [
            (str(each.get("keyid", "")), base64.b64decode(each["sig"], validate=True)) for each in envelope["signatures"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ConfigurationError(f"{where}: not a DSSE envelope") from error
    for _, signature in signatures:  # the key id is only a hint: every signature is tried
        try:
            key.verify(signature, _encoded(payload_type, payload))
        except InvalidSignature:
            continue
        return Opened(payload=payload, payload_type=payload_type, key_id=key_id(key))
    signed_by = ", ".join(hint[:16] for hint, _ in signatures) or "nobody"
    raise ConfigurationError(
        f"{where}: the signature is not by this key ({key_id(key)[:16]}), or the content was changed; it names {signed_by}"
    )


def new_key(path: Path) -> str:
    """Write a new private key, readable by its owner only, and its public half beside it as `PATH.pub`; return the key's id."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public_path = path.with_name(f"{path.name}.pub")
    for each in (path, public_path):
        if each.exists():
            raise ConfigurationError(f"{each}: is there already; a key is never written over")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        descriptor = _create_private(path)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor has no path
        file.write(pem)
    public = key.public_key()
    write_whole(
        public_path,
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    return key_id(public)


def key_id(key: "Ed25519PublicKey") -> str:
    """Return the sha256 of a public key's DER form, in hex."""
    from cryptography.hazmat.primitives import serialization

    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def read_private_key(path: Path) -> "Ed25519PrivateKey":
    """Return an Ed25519 private key from a PEM file. Raises ConfigurationError; never prints what the file holds."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "private") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "private")
    return key


def read_public_key(path: Path) -> "Ed25519PublicKey":
    """Return an Ed25519 public key from a PEM file that holds it, or the private one. Raises ConfigurationError."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = _read(path)
    if b"PRIVATE KEY" in data:
        return read_private_key(path).public_key()
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _no_key(path, "public") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "public")
    return key


def _create_private(path: Path) -> int:
    import os

    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _encoded(payload_type: str, payload: bytes) -> bytes:
    """Return what is really signed: DSSE's pre-authentication encoding."""
    kind = payload_type.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", advice="harness sign --new-key FILE makes a key") from error


def _no_key(path: Path, half: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path}: not an unencrypted Ed25519 {half} key in PEM form", advice="harness sign --new-key FILE makes one"
    )
