"""Read and check a description file; every problem with its place. Needs no secret and starts nothing."""

import hashlib
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from harness.documents.findings import Findings
from harness.documents.located import Located, read_located
from harness.documents.problems import describe
from harness.errors import ConfigurationError
from harness.target.description.document import (
    KeyStepDocument,
    ProvisionCommandDocument,
    TargetDocument,
)
from harness.target.description.fitting import check


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


def read_description(path: FilePath) -> Description:
    """Return the description in a file. Raises ConfigurationError with every problem found."""
    located, data = read_located(path)
    try:
        document = TargetDocument.model_validate(located.data)
    except ValidationError as error:
        raise ConfigurationError(*describe(error, located, TargetDocument)) from None  # its own text may show a key
    findings = Findings(located)
    check(document, located, findings)
    findings.raise_if_any()
    return Description(path=path, digest=hashlib.sha256(data).hexdigest(), document=document, located=located)
