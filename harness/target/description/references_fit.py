"""Which `${...}` may stand where."""

from harness.documents.findings import Findings
from harness.documents.located import Path
from harness.errors import did_you_mean
from harness.model.probe import ACTIONS
from harness.target.description.document import KeyStepDocument, TargetDocument
from harness.target.description.message import MESSAGE_PLACEHOLDERS
from harness.target.description.placeholders import references


def names(document: TargetDocument) -> dict[str, str]:
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


def check_references(path: Path, text: str, names: dict[str, str], findings: Findings) -> None:
    """Note every `${...}` of a text that is not known there."""
    for name in references(text):
        if name.startswith(("env:", "file:", "port.", "random.")) and not name.endswith((":", ".")):
            continue
        if name not in names:
            allowed = [*sorted(names), "env:NAME", "file:PATH", "port.NAME", "random.NAME"]
            hint = did_you_mean(name, names)
            findings.add(path, f"${{{name}}} is not known; allowed: {', '.join(allowed)}{hint}")
        elif names[name] and (not path or path[0] not in names[name].split(", ")):
            findings.add(path, f"${{{name}}} is known below `{names[name]}` only")
