"""Does a description hold together? Every problem is noted with its place."""

import ast
import re
from collections.abc import Collection
from pathlib import Path as FilePath

from harness.documents.findings import Findings
from harness.documents.located import Located, Path
from harness.errors import did_you_mean
from harness.target.description.addresses_fit import check_limits, check_listen, check_upstream, check_url
from harness.target.description.document import (
    KeyStepDocument,
    LocustfileDocument,
    TargetDocument,
)
from harness.target.description.message import MESSAGE_PLACEHOLDERS
from harness.target.description.placeholders import each_text, references
from harness.target.description.references_fit import check_references, names
from harness.target.description.starts_fit import check_actions, check_fault, check_processes, check_start


def check(document: TargetDocument, located: Located, findings: Findings) -> None:
    """Note everything that does not hold together."""
    check_url(document.base_url, ("base_url",), findings)
    for index, instance in enumerate(document.instances):
        check_url(instance.base_url, ("instances", index, "base_url"), findings)
    check_limits(document, findings)
    _check_locustfile(document, located, findings)
    _check_keys(document, findings)
    for name, link in document.links.items():
        here: Path = ("links", name)
        if (link.upstream is None) == (link.toxiproxy is None):
            findings.add(here, "a link has either `upstream: HOST:PORT` or `toxiproxy: URL` with `proxy: NAME`")
        if (link.toxiproxy is None) != (link.proxy is None):
            findings.add(here, "`toxiproxy` and `proxy` belong together: where it is, and which of its proxies")
        check_listen(document, link.listen if link.upstream else "", (*here, "listen"), findings)
    if document.provider is not None:
        for endpoint, part in document.provider.endpoints.items():
            check_listen(document, part.listen, ("provider", "endpoints", endpoint, "listen"), findings)
            if part.upstream is not None:
                check_upstream(document, ("provider", "endpoints", endpoint, "upstream"), findings)
    check_processes(document, findings)
    check_start(document, located, findings)
    check_actions(document, findings)
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
        check_fault(name, fault, findings)
    known = names(document)
    each_text(located.data, (), lambda path, text: check_references(path, text, known, findings))


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
