"""Do the addresses of a description hold together, and is said what must be said of those beyond this machine?"""

import ipaddress
from urllib.parse import urlsplit

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.target.description.document import TargetDocument


def check_url(url: str, path: Path, findings: Findings) -> None:
    """Note a base URL that is none."""
    try:
        parts = urlsplit(url.replace("${", "").replace("}", "") if "${" in url else url)
        host, scheme = parts.hostname, parts.scheme
    except ValueError as error:
        findings.add(path, f"{url!r} is no URL: {error}")
        return
    if scheme == "https":
        findings.add(path, "the load engine speaks http; put a proxy on loopback that ends TLS before it, and name that")
    elif scheme != "http" or not host:
        findings.add(path, f"{url!r} is no base URL; write http://HOST:PORT")
    elif parts.query or parts.fragment or "@" in parts.netloc:
        findings.add(path, "a base URL has no user, query or fragment; keys belong to `principals`")


def check_listen(document: TargetDocument, listen: str, path: Path, findings: Findings) -> None:
    """Note `auto` where nobody can be told of it."""
    if listen == "auto" and document.start is None:
        what = "a target that runs already cannot be told where we listen: write the HOST:PORT that it calls, or add `start`"
        findings.add(path, what)


def check_upstream(document: TargetDocument, path: Path, findings: Findings) -> None:
    """Note what is missing before real money may be spent."""
    upstream = None if document.provider is None else document.provider.endpoints[path[2]].upstream  # type: ignore[index]
    if upstream is not None and not upstream.url.startswith(("http://", "https://", "${")):
        findings.add((*path, "url"), f"{upstream.url!r} is no base URL of a provider; write https://HOST/v1")
    if document.limits is None or document.limits.spend_usd is None:
        findings.add(path, "a real provider costs money: say in `limits.spend_usd` how much of it, where the harness then stops")
    if document.budget is None or not document.budget.prices:
        findings.add(path, "without `budget.prices` of its models nothing can be metered; only models with a price are called")
    if document.start is None and document.provider is not None and document.provider.key is None:
        what = "a target that runs already cannot be told the key of this run: write the one it shows into `provider.key`"
        findings.add(path, what)


def check_limits(document: TargetDocument, findings: Findings) -> None:
    """Note limits that are missing for a target beyond this machine."""
    host = urlsplit(document.base_url.partition("${")[0]).hostname or ""
    if is_loopback_name(host):
        return
    limits = document.limits
    missing = [key for key in ("rate_rps", "concurrency", "requests") if limits is None or getattr(limits, key) is None]
    if missing:
        what = f"{host} is not this machine: `limits` must say {', '.join(missing)}, to which the harness then holds itself"
        findings.add(("limits",) if limits else ("base_url",), what)


def is_loopback_name(host: str) -> bool:
    """Return whether a host is this machine by its name alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
