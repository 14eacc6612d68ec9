"""Which HTTP requests a toxic acts on: filters choose those that count, one of the counting rules picks among them."""

import hashlib
import random
from collections.abc import Mapping
from fnmatch import fnmatchcase

from harness.errors import did_you_mean
from harness.faultproxy.failure import ApiError, bad_request
from harness.faultproxy.framing import Head
from harness.model.fault import Parameter, Scalar
from harness.model.fault_kinds.requests import COUNTING_REQUESTS, PROBE_PATH, REQUEST_TRIGGERS, api_name

TRIGGERS: Mapping[str, Parameter] = {api_name(part.name): part for part in REQUEST_TRIGGERS}
COUNTING = tuple(api_name(name) for name in COUNTING_REQUESTS)
MAX_TEXT = 500


class Requests:
    """One toxic's trigger with what it has counted; requests count in the order in which their heads arrive.

    values: as given. seed: names the toxic, so that its share is drawn alike in the next run.
    """

    def __init__(self, values: Mapping[str, Scalar], *, seed: str) -> None:
        self.values = dict(values)
        self._rule = next((name for name in COUNTING if name in values), None)
        self._draw = random.Random(seed)
        self._count = 0
        name, _, value = str(values.get("header", "")).partition(":")
        self._header = (name.strip().lower(), value.strip())

    def picks(self, head: Head) -> bool:
        """Return whether the toxic acts on the request of this head; counts it when the filters let it through."""
        if not self._lets_through(head):
            return False
        self._count += 1
        if self._rule is None:
            return True
        if self._rule == "share":
            return self._draw.random() < float(self.values["share"])
        n = int(self.values[self._rule])
        return {"nth": self._count == n, "every_nth": self._count % n == 0, "first_n": self._count <= n}[self._rule]

    def _lets_through(self, head: Head) -> bool:
        path = head.second.partition("?")[0]
        if path == PROBE_PATH or self.values.get("method", head.first) != head.first:
            return False
        if "path" in self.values and not fnmatchcase(path, str(self.values["path"])):
            return False
        if "key" in self.values and _fingerprint(head) != self.values["key"]:
            return False
        name, value = self._header
        return not name or (name in head.fields and (not value or head.fields[name] == value))


def _fingerprint(head: Head) -> str:
    """Return the fingerprint of the bearer key, as the provider's records show it; empty without one."""
    scheme, _, key = head.fields.get("authorization", "").partition(" ")
    key = key.strip()
    return hashlib.sha256(key.encode("latin-1")).hexdigest()[:12] if key and scheme.lower() == "bearer" else ""


def checked_requests(given: Mapping[str, object], *, seed: str) -> Requests:
    """Return the trigger of a toxic. Raises ApiError (400) that names what is allowed."""
    values: dict[str, Scalar] = {}
    for name, value in given.items():
        part = TRIGGERS.get(name)
        if part is None:
            raise bad_request(f"requests has no {name!r}; allowed: {', '.join(TRIGGERS)}{did_you_mean(name, TRIGGERS)}")
        values[name] = _checked(name, part, value)
    picked = [name for name in COUNTING if name in values]
    if len(picked) > 1:
        raise bad_request(
            f"requests.{picked[0]} and requests.{picked[1]} exclude each other; allowed: one of {', '.join(COUNTING)}"
        )
    return Requests(values, seed=seed)


def _checked(name: str, part: Parameter, value: object) -> Scalar:
    if part.type is str:
        if not isinstance(value, str) or not value or len(value) > MAX_TEXT or not value.isprintable():
            raise _refused(name, value, f"text of 1 to {MAX_TEXT} printable characters")
        return value
    whole = part.type is int
    low, high = part.low, part.high
    assert low is not None
    assert high is not None
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
        raise _refused(name, value, f"{'whole numbers' if whole else 'numbers'} from {low:g} to {high:g}")
    return value


def _refused(name: str, value: object, allowed: str) -> ApiError:
    return bad_request(f"requests.{name} is {value!r:.80}; allowed: {allowed}")
