"""What checks have done on the embedded stack: each action a method, by the name that checks call it by."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import StackError
from harness.model.probe import ACTIONS, Action, ActionDone
from harness.target.embedded import observability, outdated, postgres, programs
from harness.target.embedded.releasing import roll_out
from harness.target.embedded.rollout import EmbeddedRollout
from harness.target.embedded.site import Site
from harness.target.secrets_in_code import code_of, scanned, told_of
from harness.target.supervise.procfs import Identity, send
from harness.target.supervise.supervisor import python_environment

_STOPS_WITHIN_S = 9.0
_PROGRAM_WITHIN_S = 30.0
_INSTANCES = ("service-a", "service-b")

SERVICE_PACKAGE = "reference_service"

FOR_PROMTOOL = frozenset({"tell-alert-rules", "tell-dashboards"})
"""Actions of which the judges make something by promtool only."""


class EmbeddedActor:
    """An `Actor` of local processes.

    keys: user to API key, secret. database_url: past every link, secret. base_url: where load goes. settings: what the
    service is told, of which its operators' programs take a planted defect.
    """

    def __init__(
        self,
        site: Site,
        *,
        keys: Mapping[str, str],
        database_url: str,
        base_url: str,
        settings: Mapping[str, str],
        rollout: EmbeddedRollout,
    ) -> None:
        self._site = site
        self._keys = keys
        self._database_url = database_url
        self._base_url = base_url
        self._rollout = rollout
        self._planted = {name: settings[name] for name in ("SERVICE_DEFECT", "SERVICE_UNDER_TEST") if name in settings}
        self._lock = threading.Lock()
        self._ended: set[str] = set()
        self._does: Mapping[str, Callable[[Action], ActionDone]] = {
            "rotate-key": self._rotate_key,
            "revoke-key": self._revoke_key,
            "update-knowledge": self._update_knowledge,
            "drain-instance": self._drain_instance,
            "start-instance": self._start_instance,
            "set-feature": self._set_feature,
            "kill-feature": self._kill_feature,
            "back-up": self._back_up,
            "restore": self._restore,
            "roll-out": self._roll_out,
            "count-connections": lambda _: ActionDone(told=postgres.counted_connections(self._database_url)),
            "scan-for-secrets": lambda _: ActionDone(told=told_of(scanned(code_of(SERVICE_PACKAGE)))),
            "tell-alert-rules": lambda _: ActionDone(told=observability.alert_rules()),
            "tell-dashboards": lambda _: ActionDone(told=observability.panels()),
        }

    @staticmethod
    def capabilities() -> frozenset[str]:
        """Return what can be done here, as an offer names it: what is told for promtool needs one on this machine."""
        done = ACTIONS.keys() if shutil.which("promtool") is not None else ACTIONS.keys() - FOR_PROMTOOL
        return frozenset(f"actions.{name}" for name in done)

    def act(self, action: Action) -> ActionDone:
        """Do what a check asks for. Raises StackError."""
        does = self._does.get(action.does)
        if does is None:
            raise StackError(f"the embedded stack cannot {action.does!r}; it can {', '.join(self._does)}")
        return does(action)

    def ended_on_purpose(self) -> frozenset[str]:
        """Return the processes that an action has ended and none has started again."""
        with self._lock:
            return frozenset(self._ended)

    # -- keys and knowledge ---------------------------------------------------------------------------------------------

    def _rotate_key(self, action: Action) -> ActionDone:
        overlap_s = float(action.arguments.get("overlap_s", "5"))
        said = self._program("reference_service.keys", "rotate", _whom(action), "--overlap", repr(overlap_s / 3600))
        key = said.get("key")
        if not isinstance(key, str) or not key:
            raise StackError("the rotation printed no key")
        return ActionDone(told={"old_keys": _number(said.get("old_keys")), "overlap_s": overlap_s}, new_key=key)

    def _revoke_key(self, action: Action) -> ActionDone:
        said = self._program("reference_service.keys", "revoke", _whom(action))
        return ActionDone(told={"keys": _number(said.get("keys"))})

    def _update_knowledge(self, action: Action) -> ActionDone:
        from harness.target.external.caller import Caller  # its package needs this one

        key = self._keys.get(_whom(action), "")
        document = {name: action.arguments[name] for name in ("id", "title", "body")}
        answer = Caller(self._base_url).post("/admin/knowledge", document, headers={"Authorization": f"Bearer {key}"})
        if not 200 <= answer.status < 300:
            raise StackError(f"the knowledge base refused the document with {answer.status}: {answer.body[:200]!r}")
        return ActionDone(told={"status": answer.status})

    def _set_feature(self, action: Action) -> ActionDone:
        return self._features("set", action.arguments["feature"], action.arguments["share"])

    def _kill_feature(self, action: Action) -> ActionDone:
        return self._features("kill", action.arguments["feature"])

    def _features(self, *what: str) -> ActionDone:
        self._program("reference_service.operations.features", "--file", str(programs.flags_file(self._site)), *what)
        return ActionDone()

    # -- instances ------------------------------------------------------------------------------------------------------

    def _drain_instance(self, action: Action) -> ActionDone:
        """Send SIGTERM to an instance and wait until it has ended."""
        name = _instance(action)
        handle = self._site.handles().get(name)
        if handle is None or name in self._site.supervisor.exits():
            raise StackError(f"{name} does not run")
        with self._lock:
            self._ended.add(name)
        began = time.monotonic()
        if not send(Identity(pid=handle.pid, start_ticks=handle.start_ticks), signal.SIGTERM):
            raise StackError(f"{name} could not be told to end")
        while (code := self._site.supervisor.exits().get(name)) is None:
            if time.monotonic() - began > _STOPS_WITHIN_S:
                return ActionDone(told={"instance": name, "exit_code": None, "took_ms": None})
            self._site.supervisor.wait_for_news(within_s=0.05)
        return ActionDone(told={"instance": name, "exit_code": code, "took_ms": round((time.monotonic() - began) * 1e3)})

    def _start_instance(self, action: Action) -> ActionDone:
        name = _instance(action)
        if name not in self._site.supervisor.exits():
            raise StackError(f"{name} runs already")
        began = time.monotonic()
        self._site.start_again(name)
        with self._lock:
            self._ended.discard(name)
        return ActionDone(told={"instance": name, "took_ms": round((time.monotonic() - began) * 1e3)})

    # -- backup ---------------------------------------------------------------------------------------------------------

    def _back_up(self, action: Action) -> ActionDone:
        too_old = outdated.lay_down(self._backups())
        began = time.monotonic()
        said = self._program("reference_service.operations.backup", "create", "--to", str(self._backups()))
        name = Path(str(said.get("backup", ""))).name
        took_ms = round((time.monotonic() - began) * 1e3)
        files = [path for path in (self._backups() / name).glob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        password = (urlsplit(self._database_url).password or "").encode()
        told: dict[str, str | int | float | bool | None] = {"backup": name, "bytes": size, "took_ms": took_ms}
        told["outdated_kept"] = too_old.exists()
        shutil.rmtree(too_old, ignore_errors=True)
        told["secrets_in_clear"] = sum(bool(password) and password in path.read_bytes() for path in files)
        if (canary := action.arguments.get("canary")) is not None:
            dump = postgres.dumped(self._backups() / name / "database.dump")
            told["canary_in_clear"] = canary.encode() in dump or canary.encode().hex().encode() in dump
        return ActionDone(told=told)

    def _restore(self, action: Action) -> ActionDone:  # noqa: ARG002 - the newest
        found = sorted(path.parent for path in self._backups().glob("*/manifest.json"))
        if not found:
            raise StackError("there is no backup to restore")
        began = time.monotonic()
        said = self._program("reference_service.operations.backup", "restore", "--from", str(found[-1]))
        rows = said.get("rows")
        counted = {f"rows_{name}": number for name, number in rows.items()} if isinstance(rows, dict) else {}
        told: dict[str, str | int | float | bool | None] = {"backup": found[-1].name}
        told |= {name: number for name, number in counted.items() if isinstance(number, int)}
        return ActionDone(told=told | {"took_ms": round((time.monotonic() - began) * 1e3)})

    def _roll_out(self, action: Action) -> ActionDone:
        return roll_out(action, self._rollout, directory=self._site.directory, environment=self._environment())

    def _backups(self) -> Path:
        place = self._site.directory / "backups"
        place.mkdir(mode=0o700, exist_ok=True)
        return place

    # -- programs -------------------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        return python_environment() | {
            "SERVICE_DATABASE_URL": self._database_url,
            **self._planted,
            "BACKUP_PASSPHRASE": "a passphrase of this drill",
            "HOME": str(self._site.directory / "home"),
            "TMPDIR": str(self._site.directory),
        }

    def _program(self, module: str, *arguments: str) -> Mapping[str, object]:
        """Run an operator's program of the service; return the JSON object that it prints. Raises StackError.

        Not through the keeper, whose logs are kept: what is printed here may be a key.
        """
        try:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                env=self._environment(),
                cwd=self._site.directory,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PROGRAM_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{module} {arguments[0]} did not end within {_PROGRAM_WITHIN_S:.0f} s") from error
        if done.returncode != 0:
            raise StackError(f"{module} {arguments[0]} failed ({done.returncode}): {self._site.mask(done.stderr.strip()[-300:])}")
        for line in reversed(done.stdout.splitlines()):
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    return said
        raise StackError(f"{module} {arguments[0]} printed no JSON object")


def _whom(action: Action) -> str:
    if action.principal is None:
        raise StackError(f"{action.does} must say for whom")
    return action.principal


def _instance(action: Action) -> str:
    name = f"service-{action.arguments.get('instance', '')}"
    if name not in _INSTANCES:
        raise StackError(f"{action.does}: there is no instance {name!r}; there are {', '.join(_INSTANCES)}")
    return name


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
