"""Does what a description starts, breaks and has done hold together?"""

from harness.documents.findings import Findings
from harness.documents.located import Located
from harness.errors import did_you_mean
from harness.model.probe import ACTIONS
from harness.target.description.document import FaultDocument, TargetDocument
from harness.target.description.placeholders import each_text, references

_GUARDIAN_LEASE_NS = 10_000_000_000
"""How long the guardian keeps what a harness that stopped renewing has left."""


def check_start(document: TargetDocument, located: Located, findings: Findings) -> None:
    """Note a start by no means, or by two."""
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


def check_processes(document: TargetDocument, findings: Findings) -> None:
    """Note processes that are told by no means, or by two, or are ours already."""
    for name, process in document.processes.items():
        if len(process.told_by) != 1:
            what = "a process has one of `pid_file`, `command`, which prints its pid, `unit` of systemd, and `container`"
            findings.add(("processes", name), what)
        if process.container is not None and process.start is not None:
            findings.add(("processes", name, "start"), "its engine starts a container again: leave `start` out")
        if name == "service" and document.start is not None and document.start.compose is None:
            findings.add(("processes", name), "the harness starts the service itself (`start`): leave this process out")


def check_fault(name: str, fault: FaultDocument, findings: Findings) -> None:
    """Note a fault of the user's own that could not be healed in time, or would show a secret."""
    if fault.lease < _GUARDIAN_LEASE_NS + fault.within:
        what = "what a killed harness leaves is cleared within 10 s and `within`: a `lease` below that cannot be kept"
        findings.add(("faults", name, "lease"), what)
    for key in ("apply", "confirm", "clear", "prove", "acted"):
        command = getattr(fault, key) or []
        if any(reference.startswith(("env:", "file:", "random.")) for part in command for reference in references(part)):
            what = "a secret would stand in the process list, and on the undo list on disk; let the command read it itself"
            findings.add(("faults", name, key), what)


def check_actions(document: TargetDocument, findings: Findings) -> None:
    """Note actions that no check asks for, or that are no actions."""
    for name, action in document.actions.items():
        if name not in ACTIONS:
            what = f"no check has {name!r} done; there are {', '.join(ACTIONS)}{did_you_mean(name, ACTIONS)}"
            findings.add(("actions", name), what)
        elif (action.post is None) == (action.command is None):
            findings.add(("actions", name), "an action has either `post: /path` or `command: [...]`")
        elif name == "rotate-key" and action.post is not None and action.key is None:
            findings.add(("actions", name), "`rotate-key` needs `key`, the JSON path of the new key in its answer")
