"""The user's service as an image: one container in this machine's own network, so that every address holds inside it too."""

import contextlib
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import StackError
from harness.faults.engine import Engine, EngineError, engine_stays
from harness.model.target import ContainerHandle, DeadProcess
from harness.target.containers import label
from harness.target.external.foreign import SERVICE
from harness.target.external.site import ForeignSite

_PULL_WITHIN_S = 600.0
_STOPS_WITHIN_S = 3
_POLL_S = 0.1
_LAST_LINES = 12


@dataclass(slots=True, kw_only=True)
class Contained:
    """One container of an image. environment holds secrets, which `docker inspect` shows to whoever may use the engine.

    said: where what it wrote goes, masked, when it is over. ready: True once the service says so, else None.
    """

    engine: Engine
    site: ForeignSite = field(repr=False)
    image: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool | None]
    within_s: float
    said: Path
    _id: str | None = None

    def start(self) -> ContainerHandle:
        """Make it, start it, and wait until it says that it is ready. Raises StackError with its last words, masked."""
        self._fetch()
        body = {
            "Image": self.image,
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "Labels": label.labels(self.site.supervisor.stack_id, self.said.parent.parent.name, SERVICE),
            "HostConfig": {
                "NetworkMode": "host",
                "Init": True,
                "SecurityOpt": ["no-new-privileges"],
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "64m", "max-file": "1"}},
            },
        } | ({"Cmd": list(self.arguments)} if self.arguments else {})
        try:
            with ThreadPoolExecutor(max_workers=1) as pool:  # an interrupt waits for the answer: what to remove is in it
                pool.submit(self._create, body).result()
            self.engine.ask("POST", f"/containers/{self._id}/start", timeout_s=60.0)
            self.await_ready()
        except BaseException:
            self.stop()
            raise
        return ContainerHandle(name=SERVICE, container_id=str(self._id), engine=self.engine.address, networks={})

    def await_ready(self) -> None:
        """Wait until it says that it is ready, also when it was started again. Raises StackError."""
        deadline = time.monotonic() + self.within_s
        while self.ready() is None:
            if not (state := self._state())["Running"]:
                raise self._failure(f"ended with exit code {state['ExitCode']} before it was ready")
            if time.monotonic() > deadline:
                raise self._failure(f"was not ready within {self.within_s:.0f} s")
            time.sleep(_POLL_S)

    def died(self) -> list[DeadProcess]:
        """Return it where it is not running. Raises StackError where the engine went away."""
        with engine_stays():
            state = self._state()
        if state["Running"]:
            return []
        return [DeadProcess(name=SERVICE, exit_code=state["ExitCode"], last_lines=tuple(self._last_lines()))]

    def stop(self) -> None:
        """Stop it, keep what it said, remove it. Never raises; may be called twice."""
        container_id, self._id = self._id, None
        if container_id is None:
            return
        place = f"/containers/{container_id}"
        with contextlib.suppress(EngineError):
            self.engine.ask_raw("POST", f"{place}/unpause")
        with contextlib.suppress(EngineError):
            self.engine.ask_raw("POST", f"{place}/stop", query={"t": str(_STOPS_WITHIN_S)}, timeout_s=_STOPS_WITHIN_S + 3.0)
        with contextlib.suppress(EngineError, OSError):
            self.site.keep_words(self.engine.logs(container_id), self.said)
        with contextlib.suppress(EngineError):  # `harness clean` finds it by its label
            self.engine.ask_raw("DELETE", place, query={"force": "1", "v": "1"})

    def _create(self, body: Mapping[str, object]) -> None:
        self._id = str(self.engine.ask("POST", "/containers/create", body=body)["Id"])

    def _fetch(self) -> None:
        try:
            self.engine.ask("GET", f"/images/{urllib.parse.quote(self.image, safe='/:@')}/json")
        except EngineError as error:
            if error.status != 404:
                raise
        else:
            return
        repository, tag = self.image, ""
        if "@" not in self.image and ":" in self.image.rpartition("/")[2]:
            repository, _, tag = self.image.rpartition(":")
        query = {"fromImage": repository} | ({"tag": tag or "latest"} if "@" not in self.image else {})
        try:
            self.engine.ask_raw("POST", "/images/create", query=query, timeout_s=_PULL_WITHIN_S)
            self.engine.ask("GET", f"/images/{urllib.parse.quote(self.image, safe='/:@')}/json")
        except EngineError as error:
            raise StackError(
                f"start.image: {self.image} is not here and cannot be pulled: {error.message}",
                advice=f"try: docker pull {self.image}",
            ) from error

    def _state(self) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = self.engine.ask("GET", f"/containers/{self._id}/json")["State"]
        except EngineError as error:
            if error.status != 404:
                raise
            return {"Running": False, "ExitCode": None}
        return found

    def _last_lines(self) -> list[str]:
        try:
            text = self.engine.logs(str(self._id)).decode("utf-8", "replace")
        except EngineError:
            return []
        return [self.site.mask(line) for line in text.splitlines()[-_LAST_LINES:]]

    def _failure(self, what: str) -> StackError:
        said = "".join(f"\n    {line}" for line in self._last_lines()) or " nothing"
        return StackError(f"the container of {self.image} {what}; it said last:{said}")
