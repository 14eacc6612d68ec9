"""Read and check a description file; every problem with its place. Needs no secret and starts nothing."""

import ast
import hashlib
import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from pydantic import ValidationError

from harness.documents.findings import Findings
from harness.documents.located import Located, Path, read_located
from harness.documents.problems import describe
from harness.errors import ConfigurationError, did_you_mean
from harness.model.probe import ACTIONS
from harness.target.description.document import (
    FaultDocument,
    KeyStepDocument,
    LocustfileDocument,
    ProvisionCommandDocument,
    TargetDocument,
)
from harness.target.description.message import MESSAGE_PLACEHOLDERS
from harness.target.description.placeholders import each_text, references


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A description that fits its schema. digest: sha256 of the file's bytes."""

    path: FilePath
    digest: str
    document: TargetDocument
    located: Located

    @property
    def folder(self) -> FilePath:
        """What relative paths start from."""
        return self.path.resolve().parent

    @property
    def steps(self) -> tuple[KeyStepDocument, ...]:
        """The requests that make a principal; empty where a command does, or nothing."""
        provision = self.document.provision
        if provision is None or isinstance(provision, ProvisionCommandDocument):
            return ()
        return tuple(provision) if isinstance(provision, list) else (provision,)

    @property
    def containers(self) -> dict[str, str]:
        """The containers that it names, or the services of its compose file, by their names there."""
        return {name: part.container for name, part in self.document.processes.items() if part.container is not None}

    @property
    def starts_by_compose(self) -> bool:
        """Whether a compose file starts it."""
        return self.document.start is not None and self.document.start.compose is not None

    @property
    def caps_principals(self) -> bool:
        """True where principals with a budget of their own can be made."""
        provision = self.document.provision
        if isinstance(provision, ProvisionCommandDocument):
            return self.document.budget is not None
        return any("${cap_usd}" in str(step.body) for step in self.steps)


def is_target_file(path: FilePath) -> bool:
    """Return whether a file is meant as a target description: it says where something is, and has no phases."""
    try:
        located, _ = read_located(path)
    except ConfigurationError:
        return False
    return isinstance(located.data, dict) and "base_url" in located.data and "phases" not in located.data


_GUARDIAN_LEASE_NS = 10_000_000_000
"""How long the guardian keeps what a harness that stopped renewing has left."""


def read_description(path: FilePath) -> Description:
    """Return the description in a file. Raises ConfigurationError with every problem found."""
    located, data = read_located(path)
    try:
        document = TargetDocument.model_validate(located.data)
    except ValidationError as error:
        raise ConfigurationError(*describe(error, located, TargetDocument)) from None  # its own text may show a key
    findings = Findings(located)
    _check(document, located, findings)
    findings.raise_if_any()
    return Description(path=path, digest=hashlib.sha256(data).hexdigest(), document=document, located=located)


def _check(document: TargetDocument, located: Located, findings: Findings) -> None:
    _check_url(document.base_url, ("base_url",), findings)
    for index, instance in enumerate(document.instances):
        _check_url(instance.base_url, ("instances", index, "base_url"), findings)
    _check_limits(document, findings)
    _check_locustfile(document, located, findings)
    _check_keys(document, findings)
    for name, link in document.links.items():
        here: Path = ("links", name)
        if (link.upstream is None) == (link.toxiproxy is None):
            findings.add(here, "a link has either `upstream: HOST:PORT` or `toxiproxy: URL` with `proxy: NAME`")
        if (link.toxiproxy is None) != (link.proxy is None):
            findings.add(here, "`toxiproxy` and `proxy` belong together: where it is, and which of its proxies")
        _check_listen(document, link.listen if link.upstream else "", (*here, "listen"), findings)
    if document.provider is not None:
        for endpoint, part in document.provider.endpoints.items():
            _check_listen(document, part.listen, ("provider", "endpoints", endpoint, "listen"), findings)
            if part.upstream is not None:
                _check_upstream(document, ("provider", "endpoints", endpoint, "upstream"), findings)
    _check_processes(document, findings)
    _check_start(document, located, findings)
    _check_actions(document, findings)
    _check_told_over_the_run(document, findings)
    if document.canaries and not document.refusals.guard:
        what = "canaries are attacks that must be refused: without `refusals.guard` every refusal would be an error"
        findings.add(("canaries",), what)
    if document.budget is not None and document.budget.principal is not None:
        _known(document.budget.principal, document.principals, ("budget", "principal"), "principal", findings)
    _check_message(document, findings)
    _check_listeners(document, findings)
    if "normal" not in document.models:
        findings.add(("models",), "`models` needs the key `normal`: the model that the ordinary load asks for")
    for name, fault in document.faults.items():
        _check_fault(name, fault, findings)
    names = _names(document)
    each_text(located.data, (), lambda path, text: _check_references(path, text, names, findings))


def _check_actions(document: TargetDocument, findings: Findings) -> None:
    for name, action in document.actions.items():
        if name not in ACTIONS:
            what = f"no check has {name!r} done; there are {', '.join(ACTIONS)}{did_you_mean(name, ACTIONS)}"
            findings.add(("actions", name), what)
        elif (action.post is None) == (action.command is None):
            findings.add(("actions", name), "an action has either `post: /path` or `command: [...]`")
        elif name == "rotate-key" and action.post is not None and action.key is None:
            findings.add(("actions", name), "`rotate-key` needs `key`, the JSON path of the new key in its answer")


def _check_told_over_the_run(document: TargetDocument, findings: Findings) -> None:
    for name in ("fallback", "cache", "cost", "degraded"):
        claim = getattr(document.signals, name)
        if claim is None:
            continue
        if claim.metric is not None and not any(instance.metrics for instance in document.instances):
            findings.add(("signals", name), "nobody says where metrics are: add `instances: [{..., metrics: /metrics}]`")
        if claim.log is not None and document.start is None and not any(instance.log for instance in document.instances):
            what = "no log is read of a target that runs already: add `instances: [{..., log: {file: PATH}}]`"
            findings.add(("signals", name), what)
        if claim.log is not None and name == "cost" and re.compile(claim.log).groups == 0:
            findings.add(("signals", name), "a cost's `log` needs a group around the figure: 'cost=([0-9.]+)'")


def _check_message(document: TargetDocument, findings: Findings) -> None:
    message = document.message
    if (document.protocol == "message") != (message is not None):
        what = "`protocol: message` and `message: {url: /ask, body: {question: '${prompt}'}, answer: $.answer}` belong together"
        findings.add(("message",) if message is not None else ("protocol",), what)
    if message is None:
        return
    said: list[str] = []
    each_text(message.body, (), lambda _, text: said.extend(references(text)))
    if "prompt" not in said:
        findings.add(("message", "body"), "nothing would be asked: put ${prompt} where the question stands")
    for name in dict.fromkeys(said):
        if name not in MESSAGE_PLACEHOLDERS:
            allowed = ", ".join(f"${{{known}}}" for known in MESSAGE_PLACEHOLDERS)
            what = f"${{{name}}} cannot stand in a question, which the run keeps; allowed: {allowed}. Keys belong to `auth`"
            findings.add(("message", "body"), what)


def _check_url(url: str, path: Path, findings: Findings) -> None:
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


def _check_listen(document: TargetDocument, listen: str, path: Path, findings: Findings) -> None:
    if listen == "auto" and document.start is None:
        what = "a target that runs already cannot be told where we listen: write the HOST:PORT that it calls, or add `start`"
        findings.add(path, what)


def _check_upstream(document: TargetDocument, path: Path, findings: Findings) -> None:
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


def _check_limits(document: TargetDocument, findings: Findings) -> None:
    host = urlsplit(document.base_url.partition("${")[0]).hostname or ""
    if is_loopback_name(host):
        return
    limits = document.limits
    missing = [key for key in ("rate_rps", "concurrency", "requests") if limits is None or getattr(limits, key) is None]
    if missing:
        what = f"{host} is not this machine: `limits` must say {', '.join(missing)}, to which the harness then holds itself"
        findings.add(("limits",) if limits else ("base_url",), what)


def _check_locustfile(document: TargetDocument, located: Located, findings: Findings) -> None:
    """Note a locustfile that cannot be one. It is read, never imported: a description may come out of a pull request."""
    if not isinstance(document.protocol, LocustfileDocument):
        return
    here: Path = ("protocol", "locustfile")
    path = FilePath(located.file).resolve().parent / document.protocol.locustfile
    try:
        ast.parse(path.read_bytes(), filename=path.name)
    except OSError as error:
        findings.add(here, f"the locustfile {document.protocol.locustfile!r} cannot be read: {error.strerror}")
    except (SyntaxError, ValueError) as error:
        findings.add(here, f"{document.protocol.locustfile!r} is no Python: {error}")


def is_loopback_name(host: str) -> bool:
    """Return whether a host is this machine by its name alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_keys(document: TargetDocument, findings: Findings) -> None:
    steps = document.provision if isinstance(document.provision, list) else [document.provision]
    requests = [step for step in steps if isinstance(step, KeyStepDocument)]
    if requests and sum(step.key is not None for step in requests) != 1:
        findings.add(("provision",), "exactly one step of `provision` has `key`, the JSON path of the new key in its answer")
    if "${key}" in document.auth.value and not document.principals and document.provision is None:
        what = (
            'nobody has a key: add `principals: {alice: {key: "${env:KEY}"}}`, or `provision`, or an `auth.value` without ${key}'
        )
        findings.add(("auth",), what)


def _check_listeners(document: TargetDocument, findings: Findings) -> None:
    for index, listener in enumerate(document.notify):
        if (listener.webhook is None) == (listener.grafana is None):
            findings.add(("notify", index), "a listener is either a `webhook` or `grafana: {url, token}`")


def _known(name: str, allowed: Collection[str], path: Path, what: str, findings: Findings) -> None:
    if name not in allowed:
        known = ", ".join(allowed) or "none"
        findings.add(path, f"no {what} is called {name!r}; there are {known}{did_you_mean(name, allowed)}")


def _names(document: TargetDocument) -> dict[str, str]:
    """Return every placeholder that may be written, and below which key only; empty: anywhere."""
    names = dict.fromkeys(MESSAGE_PLACEHOLDERS, "message")
    names |= {"port": "", "here": "", "scratch": "", "python": "", "cap_usd": "provision"}
    names |= {"key": "auth, actions", "principal": "provision, actions"}
    names |= {argument: "actions" for arguments in ACTIONS.values() for argument in arguments}
    if document.provider is not None:
        names["provider.key"] = ""
        for endpoint in document.provider.endpoints:
            names |= {f"provider.{endpoint}.url": "", f"provider.{endpoint}.address": ""}
    for name in document.links:
        names[f"links.{name}.address"] = ""
    steps = document.provision if isinstance(document.provision, list) else [document.provision]
    for step in steps:
        if isinstance(step, KeyStepDocument):
            names |= {name: f"{names[name]}, provision" if name in names else "provision" for name in step.save}
    return names


def _check_start(document: TargetDocument, located: Located, findings: Findings) -> None:
    start = document.start
    if start is None:
        return
    if start.image is not None and start.compose is not None:
        findings.add(("start",), "a target is started by an `image` or by a `compose` file, not by both")
    elif start.compose is not None and start.command is not None:
        findings.add(("start", "command"), "a compose file says itself what is run: leave `command` out")
    elif start.command is None and start.image is None and start.compose is None:
        findings.add(("start",), "say how it is started: `command: [...]`, `image: NAME` or `compose: FILE`")
    if start.image is not None and start.directory is not None:
        findings.add(("start", "directory"), "an image has its own working directory: leave `directory` out")
    if start.compose is not None:
        for name in sorted(_told_in(located.data, "start", "links.")):
            link = document.links.get(name.removeprefix("links.").removesuffix(".address"))
            if link is not None and link.toxiproxy is not None:
                what = f"${{{name}}} is known once the compose file is up; its services know their Toxiproxy by name"
                findings.add(("start", "env"), what)


def _told_in(data: object, key: str, prefix: str) -> set[str]:
    found: set[str] = set()
    if isinstance(data, dict):
        each_text(data.get(key), (), lambda _, text: found.update(n for n in references(text) if n.startswith(prefix)))
    return found


def _check_processes(document: TargetDocument, findings: Findings) -> None:
    for name, process in document.processes.items():
        if len(process.told_by) != 1:
            what = "a process has one of `pid_file`, `command`, which prints its pid, `unit` of systemd, and `container`"
            findings.add(("processes", name), what)
        if process.container is not None and process.start is not None:
            findings.add(("processes", name, "start"), "its engine starts a container again: leave `start` out")
        if name == "service" and document.start is not None and document.start.compose is None:
            findings.add(("processes", name), "the harness starts the service itself (`start`): leave this process out")


def _check_fault(name: str, fault: FaultDocument, findings: Findings) -> None:
    if fault.lease < _GUARDIAN_LEASE_NS + fault.within:
        what = "what a killed harness leaves is cleared within 10 s and `within`: a `lease` below that cannot be kept"
        findings.add(("faults", name, "lease"), what)
    for key in ("apply", "confirm", "clear", "prove", "acted"):
        command = getattr(fault, key) or []
        if any(reference.startswith(("env:", "file:", "random.")) for part in command for reference in references(part)):
            what = "a secret would stand in the process list, and on the undo list on disk; let the command read it itself"
            findings.add(("faults", name, key), what)


def _check_references(path: Path, text: str, names: dict[str, str], findings: Findings) -> None:
    for name in references(text):
        if name.startswith(("env:", "file:", "port.", "random.")) and not name.endswith((":", ".")):
            continue
        if name not in names:
            allowed = [*sorted(names), "env:NAME", "file:PATH", "port.NAME", "random.NAME"]
            hint = did_you_mean(name, names)
            findings.add(path, f"${{{name}}} is not known; allowed: {', '.join(allowed)}{hint}")
        elif names[name] and (not path or path[0] not in names[name].split(", ")):
            findings.add(path, f"${{{name}}} is known below `{names[name]}` only")
