"""Envelopes and sign-offs: what this key signed is opened, and nothing else is."""

import base64
import json
from pathlib import Path

import pytest

from harness.errors import ConfigurationError
from harness.readiness.dsse import new_key, open_envelope, seal

PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'


@pytest.fixture
def key(tmp_path: Path) -> Path:
    new_key(tmp_path / "release.key")
    return tmp_path / "release.key"


def test_what_a_key_signed_is_opened_by_its_public_half(key: Path) -> None:
    opened = open_envelope(seal(PAYLOAD, key), key.with_name("release.key.pub"), where="e")
    assert opened.payload == PAYLOAD
    assert opened.payload_type == "application/vnd.in-toto+json"


def test_the_signature_is_of_the_encoding_that_dsse_names(key: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    envelope = json.loads(seal(PAYLOAD, key))
    expected = b"DSSEv1 28 application/vnd.in-toto+json 43 " + PAYLOAD
    public = load_pem_public_key(key.with_name("release.key.pub").read_bytes())
    public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), expected)  # type: ignore[union-attr, call-arg]


@pytest.mark.parametrize("field", ["payload", "payloadType", "sig"])
def test_an_envelope_that_was_changed_anywhere_is_not_opened(key: Path, field: str) -> None:
    envelope = json.loads(seal(PAYLOAD, key))
    if field == "sig":
        envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    else:
        envelope[field] = base64.b64encode(PAYLOAD + b" ").decode() if field == "payload" else "text/plain"
    with pytest.raises(ConfigurationError, match="signature is not by this key"):
        open_envelope(json.dumps(envelope).encode(), key, where="e")


def test_another_key_does_not_open_it(key: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "other.key")
    with pytest.raises(ConfigurationError, match="not by this key"):
        open_envelope(seal(PAYLOAD, key), tmp_path / "other.key.pub", where="e")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"payload":"!","payloadType":"x","signatures":[]}', b'{"payload":1}'])
def test_what_is_no_envelope_is_said_to_be_none(key: Path, data: bytes) -> None:
    with pytest.raises(ConfigurationError, match="not a DSSE envelope"):
        open_envelope(data, key, where="e")


def test_an_envelope_that_nobody_signed_is_not_opened(key: Path) -> None:
    envelope = json.loads(seal(PAYLOAD, key)) | {"signatures": []}
    with pytest.raises(ConfigurationError, match="it names nobody"):
        open_envelope(json.dumps(envelope).encode(), key, where="e")


def test_a_key_is_readable_by_its_owner_only_and_never_written_over(key: Path) -> None:
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="never written over"):
        new_key(key)


def test_a_file_that_is_no_key_is_refused_without_showing_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "not.key"
    path.write_text("-----BEGIN PRIVATE KEY-----\nsecret-material\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigurationError) as caught:
        seal(PAYLOAD, path)
    assert "not an unencrypted Ed25519 private key" in str(caught.value)
    assert "secret-material" not in str(caught.value)
