"""Provider faults: set on the simulated provider's control port, which counts the calls that they touch."""

from collections.abc import Mapping
from typing import Any

import httpx

from harness.errors import FaultError
from harness.faults.guardian.undo import HttpStep, UndoStep
from harness.model.fault import Acted, ActedBy, Fault
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.fault_kinds.provider import split_trigger


class ProviderBackend:
    """Faults of a simulated provider's endpoints. See `Backend`."""

    def __init__(self, control_url: str, *, timeout_s: float = 1.0) -> None:
        self._url = control_url.rstrip("/")
        self._client = httpx.Client(base_url=self._url, timeout=timeout_s, trust_env=False)

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return the call that lifts it."""
        return (HttpStep(method="DELETE", url=str(httpx.URL(f"{self._url}/faults", params={"id": fault.id}))),)

    def apply(self, fault: Fault) -> None:
        """Set it."""
        self._call("PUT", "/faults", body=_body(fault))

    def confirm(self, fault: Fault) -> None:
        """See it listed, with our own settings: from its answer on, every call meets it."""
        shown = self._shown(fault)
        if shown is None:
            raise FaultError(f"{fault.id}: {fault.kind} is not listed by the provider at {self._url}")
        wanted = _body(fault)
        for name in ("endpoint", "kind", "parameters", "trigger"):
            given, found = wanted[name], shown.get(name)
            if found != given and not (isinstance(found, dict) and isinstance(given, dict) and given.items() <= found.items()):
                raise FaultError(f"{fault.id}: the provider at {self._url} has {name} {found!r} in force, not {given!r}")

    def in_force(self, fault: Fault) -> bool:
        """Return whether the provider lists it."""
        return self._shown(fault) is not None

    def clear(self, fault: Fault) -> None:
        """Lift it; calls that it holds go on."""
        self._call("DELETE", "/faults", query={"id": fault.id}, gone_is_fine=True)

    def prove_clear(self, fault: Fault) -> None:
        """See that it is not listed."""
        if self._shown(fault) is not None:
            raise FaultError(
                f"{fault.id}: {fault.kind} is still in force at {fault.at}",
                advice=f"by hand: DELETE {self._url}/faults?id={fault.id}",
            )

    def acted(self, fault: Fault) -> Acted | None:
        """Return how many calls it touched by the provider's final count; None where the provider forgot it (a reset)."""
        cleared = self._call("GET", "/faults", query={"cleared": "1"})
        counts = [int(each["acted"]) for each in cleared if each["id"] == fault.id]
        return Acted(by=ActedBy.PROVIDER, count=counts[-1]) if counts else None  # the last: a rehearsal may stand before it

    def renew(self, lease_s: float) -> None:
        """Renew the lease of all its faults."""
        self._call("PUT", "/lease", body={"seconds": lease_s})

    def release(self) -> None:
        """End the lease."""
        self._call("DELETE", "/lease")

    def _shown(self, fault: Fault) -> Mapping[str, Any] | None:
        return next((each for each in self._call("GET", "/faults") if each["id"] == fault.id), None)

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        gone_is_fine: bool = False,
    ) -> Any:
        at = f"the provider's control port at {self._url}"
        try:
            response = self._client.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise FaultError(
                f"{at} does not answer {method} {path}: {error or type(error).__name__}", advice="is it running?"
            ) from error
        if response.status_code == 404 and gone_is_fine:
            return None
        try:
            answer = response.json()
        except ValueError as error:
            raise FaultError(f"{at} answers {method} {path} with {response.status_code} and no JSON") from error
        if response.status_code >= 400:
            reason = answer.get("error", answer) if isinstance(answer, dict) else answer
            raise FaultError(f"{at} refuses {method} {path}: {response.status_code} {reason}")
        return answer


def _body(fault: Fault) -> dict[str, object]:
    parameters, trigger = split_trigger(complete(FAULT_KINDS[fault.kind], fault.parameters))
    return {
        "id": fault.id,
        "endpoint": fault.at.removeprefix("provider."),
        "kind": fault.kind,
        "parameters": parameters,
        "trigger": trigger,
        "seed": fault.seed,
    }
