"""A receiver of the service's webhooks among the containers, where `--service webhook_url=here` asks for one."""

from collections.abc import Mapping
from pathlib import Path

from harness.target.containers.part import SECRETS, Part
from harness.target.embedded import receiver
from harness.target.embedded.programs import HERE, RECEIVER, WEBHOOK

_PORT = 8090
_ADDRESS = f"http://{RECEIVER}:{_PORT}/"


def pointed(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the service's settings, with the receiver's address where deliveries are to be received here."""
    return {**settings, WEBHOOK: _ADDRESS} if settings.get(WEBHOOK) == HERE else dict(settings)


def receives(settings: Mapping[str, str]) -> bool:
    """Return whether these settings, once `pointed`, need the receiver."""
    return settings.get(WEBHOOK) == _ADDRESS


def receiver_part(image: str) -> Part:
    """Return the embedded stack's receiver as a part. image: any with Python."""
    return Part(
        name=RECEIVER,
        image=image,
        entrypoint=("python",),
        command=("-I", f"{SECRETS}/receiver.py", "0.0.0.0", str(_PORT)),  # noqa: S104 - inside its container, not published
        files={"receiver.py": Path(receiver.__file__).read_text(encoding="utf-8")},
        memory_mb=128,
    )
