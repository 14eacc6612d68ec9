"""The simulated provider alone, for tests of a client or a gateway of one's own."""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx

from harness.api.breaking import ActiveFault, Breaker, breaking
from harness.errors import StackError
from harness.model.fault import Scalar
from harness.model.target import Landscape
from harness.target.embedded import programs
from harness.target.embedded.site import Site
from harness.target.supervise.logs import Mask
from harness.target.supervise.supervisor import Supervisor


class Provider:
    """An OpenAI-compatible provider with two endpoints. Any key is taken, and no key is kept."""

    def __init__(self, running: programs.Provider, breaker: Breaker) -> None:
        self._running = running
        self._breaker = breaker

    @property
    def primary(self) -> str:
        """The base URL of the first endpoint, as clients want it: it ends in `/v1`."""
        return f"http://{self._running.endpoints['primary']}/v1"

    @property
    def secondary(self) -> str:
        """The base URL of the second endpoint."""
        return f"http://{self._running.endpoints['secondary']}/v1"

    def fault(self, kind: str, *, at: str = "provider.primary", **parameters: Scalar) -> AbstractContextManager[ActiveFault]:
        """Keep a fault in force for a block: `with provider.fault("status", status=429, retry_after="2"):`.

        Raises ConfigurationError for one that cannot be, FaultError where it could not be applied, confirmed or cleared.
        """
        return self._breaker.fault(at, kind, **parameters)

    def calls(self) -> list[dict[str, Any]]:
        """Return what it really served, a record a call (docs/reference/provider.md). Raises StackError."""
        found: list[dict[str, Any]] = self._ask("GET", "/calls")
        return found

    def meter(self) -> Any:
        """Return usage by model and key's fingerprint. Raises StackError."""
        return self._ask("GET", "/meter")

    def reset(self) -> None:
        """Forget all calls, all usage and all faults. Raises StackError."""
        self._ask("POST", "/reset")

    def _ask(self, method: str, path: str) -> Any:
        return ask_provider(f"http://{self._running.control}", method, path)


def ask_provider(control_url: str, method: str, path: str) -> Any:
    """Return what the control port of a simulated provider answers, None for nothing. Raises StackError."""
    try:
        answer = httpx.request(method, f"{control_url}{path}", timeout=10.0, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise StackError(f"the provider's {path} does not answer: {error}") from error
    return answer.json() if answer.content else None


@contextlib.contextmanager
def provider(*, seed: int = 1) -> Iterator[Provider]:
    """Start the simulated provider on free ports of 127.0.0.1 for the block. Raises StackError."""
    with contextlib.ExitStack() as ends:
        logs = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="harness-provider-")))
        supervisor = Supervisor(logs=logs)
        ends.callback(supervisor.stop)
        site = Site(supervisor, logs=logs, mask=Mask.of(()))
        running = programs.start_provider(site, seed=seed)
        landscape = Landscape(links={}, provider_control_url=f"http://{running.control}")
        yield Provider(running, ends.enter_context(breaking(landscape)))
