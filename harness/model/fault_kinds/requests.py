"""Which requests a toxic acts on, where the link speaks HTTP/1.1; without any of these it acts on whole connections.

In a scenario the trigger stands beside the parameters: `{at: provider.primary, kind: reset_peer, every_nth: 5}`. At the
embedded proxy's API it is `"requests": {...}` of a toxic, by the names that `api_name` gives.
"""

from collections.abc import Mapping

from harness.model.fault import Parameter, Scalar

PROBE_PATH = "/harness-probe"
"""What our own probes ask for: no trigger ever counts them."""

REQUEST_TRIGGERS: tuple[Parameter, ...] = (
    Parameter(name="request_share", type=float, doc="on this share of the requests, drawn from the seed", low=0.0, high=1.0),
    Parameter(name="nth", type=int, doc="on the n-th request only", low=1, high=1e9),
    Parameter(name="every_nth", type=int, doc="on every n-th request", low=1, high=1e9),
    Parameter(name="first_n", type=int, doc="on the first n requests, then never again", low=1, high=1e9),
    Parameter(name="only_method", type=str, doc="on requests with this method: `POST`"),
    Parameter(name="only_path", type=str, doc="on requests of this path, `*` for anything: `/v1/chat/*`"),
    Parameter(name="only_header", type=str, doc="on requests with this header: `x-tenant`, or `x-tenant: acme`"),
    Parameter(name="only_key", type=str, doc="on requests of the key with this fingerprint (12 hex digits of its sha256)"),
)
"""The `only_` filters choose the requests that count; at most one of the others picks among them."""

COUNTING_REQUESTS = ("request_share", "nth", "every_nth", "first_n")

_NAMES = {part.name for part in REQUEST_TRIGGERS}
_NO_HTTP = ("postgres", "redis", "valkey")


def api_name(name: str) -> str:
    """Return what the proxy's API calls a trigger: `request_share` is `share` there, `only_path` is `path`."""
    return name.removeprefix("request_").removeprefix("only_")


def split_requests(parameters: Mapping[str, Scalar]) -> tuple[dict[str, Scalar], dict[str, Scalar]]:
    """Return (the toxic's own parameters, its trigger by the API's names); the trigger is empty where none was given."""
    own = {name: value for name, value in parameters.items() if name not in _NAMES}
    return own, {api_name(name): value for name, value in parameters.items() if name in _NAMES}


def beyond_toxiproxy(kind: str, parameters: Mapping[str, object]) -> str | None:
    """Return what of a transport fault a real Toxiproxy does not have, in words; None where it has all of it."""
    if kind in {"corrupt", "loss", "ports_exhausted"}:
        return f"a real Toxiproxy has no {kind}"
    given = sorted(_NAMES & parameters.keys())
    return f"a real Toxiproxy picks no requests ({', '.join(given)})" if given else None


def refused_requests(at: str, parameters: Mapping[str, object]) -> list[str]:
    """Return why a trigger cannot hold for this use of a toxic, as sentences. parameters: as given, without defaults."""
    given = sorted(_NAMES & parameters.keys())
    if not given:
        return []
    problems = []
    picked = [name for name in COUNTING_REQUESTS if name in parameters]
    if len(picked) > 1:
        problems.append(f"{' and '.join(picked)} exclude each other; use one of {', '.join(COUNTING_REQUESTS)}")
    if any(name in at for name in _NO_HTTP):
        problems.append(f"{given[0]} picks HTTP requests, and {at} speaks no HTTP; leave it out, or use toxicity")
    if parameters.get("stream") == "both":
        problems.append(f"{given[0]} picks requests in one direction; use a stream of 'upstream' or 'downstream'")
    if parameters.get("toxicity", 1.0) != 1.0:
        problems.append(f"toxicity is a share of connections and {given[0]} picks requests; use one of them")
    return problems
