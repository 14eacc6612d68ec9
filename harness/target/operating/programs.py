"""The service's own programs for its operators, run on this machine past every link."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from harness.errors import StackError
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import python_environment

_WITHIN_S = 30.0
_PLANTED = ("SERVICE_DEFECT", "SERVICE_UNDER_TEST")


class OperatorPrograms:
    """Runs them. database_url: secret. settings: what the service is told, of which its programs take a planted defect.

    directory: where they may work, asked for with each program.
    """

    def __init__(self, *, database_url: str, settings: Mapping[str, str], mask: Mask, directory: Callable[[], Path]) -> None:
        self.database_url = database_url
        self._planted = planted(settings)
        self._mask = mask
        self._directory = directory

    def directory(self) -> Path:
        """Return where they may work."""
        return self._directory()

    def environment(self) -> dict[str, str]:
        """Return what a program is told. Holds the database's password."""
        return python_environment() | {
            "SERVICE_DATABASE_URL": self.database_url,
            **self._planted,
            "BACKUP_PASSPHRASE": "a passphrase of this drill",
            "HOME": str(self.directory() / "home"),
            "TMPDIR": str(self.directory()),
        }

    def run(self, module: str, *arguments: str) -> Mapping[str, object]:
        """Run a program; return the JSON object that it prints. Raises StackError.

        Not through a keeper, whose logs are kept: what is printed here may be a key.
        """
        done = self.ended(module, *arguments, within_s=_WITHIN_S)
        if done is None:
            raise StackError(f"{module} {arguments[0]} did not end within {_WITHIN_S:.0f} s")
        if done.returncode != 0:
            raise StackError(f"{module} {arguments[0]} failed ({done.returncode}): {self._mask(done.stderr.strip()[-300:])}")
        for line in reversed(done.stdout.splitlines()):
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    return said
        raise StackError(f"{module} {arguments[0]} printed no JSON object")

    def ended(
        self, module: str, *arguments: str, within_s: float, further: Mapping[str, str] = MappingProxyType({})
    ) -> "subprocess.CompletedProcess[str] | None":
        """Run a program to its end, whatever that is; None where it does not come to one, and is killed.

        further: what it is told beside, or in place of, what every program is.
        """
        try:
            return subprocess.run(
                [sys.executable, "-m", module, *arguments],
                env={**self.environment(), **further},
                cwd=self.directory(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=within_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None


def planted(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that plant a defect, in the service and its operators' programs alike."""
    return {name: settings[name] for name in _PLANTED if name in settings}
