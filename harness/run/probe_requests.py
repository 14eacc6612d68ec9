"""From a probe of the plan to the bytes that are sent: whose key, where to, and values of earlier answers."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.errors import ConfigurationError
from harness.exchange import Destination, finish_request, request_head
from harness.exchange.predicates import walk
from harness.model.probe import Credential, Probe
from harness.model.target import Approach, Instance

_TAKEN = re.compile(r"\$\{([a-z0-9-]+):(\$[^}]*)\}")
_PATHS: Mapping[str, Callable[[Instance], str | None]] = {
    "@live": lambda instance: instance.live,
    "@ready": lambda instance: instance.ready,
    "@metrics": lambda instance: instance.metrics,
}
"""Paths that each instance has of its own."""


class NotSendableError(Exception):
    """A probe that cannot be sent; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What is sent, and where. shown: the request as it is kept, before masking."""

    address: tuple[str, int]
    path: str
    data: bytes = field(repr=False)
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where probes go: the target itself or one instance. base_path: before every path but the chat's."""

    address: tuple[str, int]
    host: str
    base_path: str = ""
    instance: Instance | None = None


def key_for(probe: Probe, keys: Mapping[str, str], new_keys: Mapping[str, str]) -> str | None:
    """Return the key that a probe shows; None for none. Raises NotSendableError."""
    if probe.credential is Credential.NONE or probe.principal is None:
        return None
    if probe.credential is Credential.NEW:
        if probe.principal not in new_keys:
            raise NotSendableError(f"nothing has given {probe.principal} a new key")
        return new_keys[probe.principal]
    key = keys.get(probe.principal)
    if key is None:
        raise NotSendableError(f"the target has no key for {probe.principal}")
    if probe.credential is Credential.WRONG:
        return key[:3] + hashlib.sha256(key.encode()).hexdigest()[: max(len(key) - 3, 16)]
    if probe.credential is Credential.TAMPERED:
        return key[:-4] + "".join("a" if character != "a" else "b" for character in key[-4:])
    return key


def prepare(
    probe: Probe,
    place: Place,
    approach: Approach,
    *,
    key: str | None,
    request_id: str,
    answers: Callable[[str], str | None],
) -> Prepared:
    """Return the request of a probe. answers: from the name of a probe to the body of its last answer.

    Raises NotSendableError.
    """
    path = _path(probe, place, approach, answers)
    body = b"" if probe.body is None else _filled(probe.body, probe, answers).encode("utf-8", "surrogatepass")
    destination = Destination(
        host=place.host,
        path=path,
        auth_header=approach.auth_header,
        auth_value=None if key is None else approach.auth_value.replace("${key}", key),
    )
    further = {name: _filled(value, probe, answers) for name, value in probe.headers.items()}
    try:
        head = request_head(destination, streamed=probe.streamed, method=probe.method, further=further)
    except ConfigurationError as error:
        raise NotSendableError(error.message) from error
    shown = body[: probe.keep_bytes].decode("utf-8", "replace")
    return Prepared(address=place.address, path=path, data=finish_request(head, request_id, body), shown=shown)


def _path(probe: Probe, place: Place, approach: Approach, answers: Callable[[str], str | None]) -> str:
    if probe.path is None:
        return approach.chat_path
    if probe.path in _PATHS:
        own = None if place.instance is None else _PATHS[probe.path](place.instance)
        if own is None:
            raise NotSendableError(f"the target does not say where an instance has its {probe.path[1:]}")
        return place.base_path + own
    return place.base_path + _filled(probe.path, probe, answers)


def _filled(text: str, probe: Probe, answers: Callable[[str], str | None]) -> str:
    def taken(match: re.Match[str]) -> str:
        body = answers(match[1])
        if body is None:
            raise NotSendableError(f"probe {match[1]} has had no answer, and this one needs a value of it")
        try:
            found = walk(json.loads(body), match[2])
        except ValueError:
            found = None
        if found is None:
            raise NotSendableError(f"the answer to probe {match[1]} holds nothing at {match[2]}")
        return str(found)

    return _TAKEN.sub(taken, text).replace("{filler}", "x" * probe.filler if probe.filler else "")
