"""One container of the stack as a value: image, what it is told, what it publishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SECRETS = "/run/secrets"
"""Where a container finds the files that nobody else may see."""

IMAGE_USER = 10001
"""Who our own images run as: user and group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One container. Secrets go into `files`, never into `command` or `environment`: `docker inspect` shows those.

    files: name below `/run/secrets` to text; its own user may replace one in a folder there, `flags/flags.json`.
    published: container ports that get a port of 127.0.0.1. inside: the part whose network namespace it shares.
    files_of: the part whose files it shares, instead of having its own. user: who it runs as, the image's own by default.
    read_only: its root file system; `/tmp` stays writable.
    """

    name: str
    image: str
    command: Sequence[str] = ()
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    published: Sequence[int] = ()
    inside: str | None = None
    files_of: str | None = None
    user: str | None = None
    read_only: bool = True
    memory_mb: int = 512
