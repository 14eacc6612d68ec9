"""What every part of a description is made of: texts that have a form."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from harness.model.units import parse_duration_ns
from harness.target.description.texts import by_reference, host_port, json_path, listen_address, url_path

Duration = Annotated[int, BeforeValidator(parse_duration_ns)]
"""Nanoseconds, written `30s`."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Url = Annotated[str, Field(min_length=1, max_length=2000)]
UrlPath = Annotated[str, BeforeValidator(url_path)]
HostPort = Annotated[str, BeforeValidator(host_port)]
Listen = Annotated[str, BeforeValidator(listen_address)]
"""`auto`, or `HOST:PORT`."""
SavedPath = Annotated[str, BeforeValidator(json_path)]
Secret = Annotated[str, BeforeValidator(by_reference)]
"""Nothing but `${env:X}` or `${file:PATH}`."""
UnitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:_.\\@-]{0,254}$")]
"""A unit of systemd, `my-gateway.service`; never taken for an option of systemctl."""
ContainerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$")]
Command = Annotated[list[str], Field(min_length=1)]
