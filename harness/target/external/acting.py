"""What checks have done on a described target: each action a request or a command of the description's `actions`."""

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from harness.errors import StackError
from harness.exchange.predicates import walk
from harness.model.probe import Action, ActionDone
from harness.target.description.document import ActionDocument
from harness.target.description.placeholders import Placeholders
from harness.target.external.caller import Caller

_TOLD: Mapping[str, tuple[type[str] | type[int] | type[float], ...]] = {
    "tell-alert-rules": (str,),
    "tell-alert-routing": (str,),
    "tell-dashboards": (str,),
    "tell-key-ages": (int, float),
}
"""Of the actions that are there to tell something: of what kind that is."""

_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")


class ForeignActor:
    """An `Actor` by the description. It ends no process that is watched.

    keys: principal to API key, secret. hide: is told each new key, so that no log shows it.
    """

    def __init__(
        self,
        actions: Mapping[str, ActionDocument],
        folder: Path,
        placeholders: Placeholders,
        caller: Caller,
        keys: Mapping[str, str],
        hide: Callable[[Sequence[str]], None],
    ) -> None:
        self._actions = actions
        self._folder = folder
        self._placeholders = placeholders
        self._caller = caller
        self._keys = keys
        self._hide = hide

    def act(self, action: Action) -> ActionDone:
        """Do what the description says. Raises StackError."""
        document = self._actions.get(action.does)
        if document is None:
            raise StackError(f"the target's description has no `actions.{action.does}`")
        known: dict[str, object] = dict(action.arguments)
        known |= {"principal": action.principal or "", "key": self._keys.get(action.principal or "", "")}
        try:
            said, told = self._ask(document, known) if document.post is not None else self._run(document, known)
        except ValueError as error:
            raise StackError(f"actions.{action.does}: {error}") from None
        key = walk(said, document.key or "$.key")
        if action.does == "rotate-key" and not isinstance(key, str):
            raise StackError("actions.rotate-key: nothing that it said is a new key")
        new_key = str(key) if action.does == "rotate-key" else None
        if new_key is not None:
            self._placeholders.keep(new_key)
            self._hide([new_key])
        if (kind := _TOLD.get(action.does)) is not None and isinstance(said, dict):
            return ActionDone(told={**told, **{str(name): what for name, what in said.items() if isinstance(what, kind)}})
        return ActionDone(told=told, new_key=new_key)

    def ended_on_purpose(self) -> frozenset[str]:
        """Return nothing: what an action ends here is not a process that the harness keeps."""
        return frozenset()

    def _ask(self, document: ActionDocument, known: Mapping[str, object]) -> tuple[object, dict[str, int]]:
        assert document.post is not None
        texts = {name: str(value) for name, value in known.items()}
        body = self._placeholders.fill_body(document.body, known)
        headers = {name: self._placeholders.fill(text, texts) for name, text in document.headers.items()}
        path = self._placeholders.fill(document.post, texts)
        answer = self._caller.post(path, body, headers=headers, timeout_s=document.within / 1e9)
        if not 200 <= answer.status < 300:
            raise StackError(f"POST {document.post} was answered with {answer.status}")
        return answer.json(), {"status": answer.status}

    def _run(self, document: ActionDocument, known: Mapping[str, object]) -> tuple[object, dict[str, int]]:
        texts = {name: str(value) for name, value in known.items()}
        shown = {name: text for name, text in texts.items() if name != "key"}  # a command line is everybody's to read
        command = [self._placeholders.fill(part, shown) for part in document.command or ()]
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= {name: self._placeholders.fill(text, texts) for name, text in document.env.items()}
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                start_new_session=True,
                timeout=document.within / 1e9,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(f"{command[0]} failed: {type(error).__name__}") from None
        if done.returncode != 0:
            raise StackError(f"{command[0]} ended with exit code {done.returncode}")
        for line in reversed(done.stdout.splitlines()):
            with contextlib.suppress(ValueError):
                said: object = json.loads(line)
                if isinstance(said, dict):
                    return said, {"exit_code": 0}
        return {}, {"exit_code": 0}
