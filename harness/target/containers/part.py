"""One container of the stack as a value: image, what it is told, what it publishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SECRETS = "/run/secrets"
"""Where a container finds the files that nobody else may see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One container. Secrets go into `files`, never into `command` or `environment`: `docker inspect` shows those.

    files: name below `/run/secrets` to text. published: container ports that get a port of 127.0.0.1.
    inside: the part whose network namespace it shares. read_only: its root file system; `/tmp` stays writable.
    """

    name: str
    image: str
    command: Sequence[str] = ()
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    published: Sequence[int] = ()
    inside: str | None = None
    read_only: bool = True
    memory_mb: int = 512
