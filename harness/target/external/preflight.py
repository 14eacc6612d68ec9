"""Before the first fault and the first load: one request, and everything that it should leave behind."""

import secrets
from collections.abc import Mapping

from harness.errors import ConfigurationError, StackError
from harness.model.target import Offer
from harness.target.external.caller import Caller
from harness.target.external.probe import Probe, objection, probe
from harness.target.external.running import RunningExternal


def preflight(running: RunningExternal, offer: Offer) -> Mapping[str, str]:
    """Return the headers of the target's first answer. Raises StackError or ConfigurationError where no load should follow.

    The provider's records are empty again afterwards.
    """
    found, calls = ask_once(running, offer)
    if (trouble := objection(found, running.caller, running.approach)) is not None:
        raise trouble
    if running.provider_control_url is not None:
        _see_the_call(found, calls, offer)
        control = Caller(running.provider_control_url)
        if (status := control.post("/reset", {}).status) >= 300:
            raise StackError(f"the simulated provider cannot be reset: status {status}")
    return found.headers


def ask_once(running: RunningExternal, offer: Offer, *, streamed: bool = False) -> tuple[Probe, list[dict[str, object]]]:
    """Send one request as the first principal; return it with the provider's calls that were recorded since."""
    tag = f"p{secrets.token_hex(4)}"
    before = len(calls_at(running.provider_control_url))
    principal = next(iter(running.keys))
    found = probe(
        running.caller,
        running.approach,
        offer.signals,
        key=running.keys[principal],
        model=offer.model,
        tag=tag,
        streamed=streamed,
    )
    return found, calls_at(running.provider_control_url)[before:]


def calls_at(control_url: str | None) -> list[dict[str, object]]:
    """Return the provider's records; none where there is no simulated provider. Raises StackError."""
    if control_url is None:
        return []
    answer = Caller(control_url).get("/calls")
    calls = answer.json()
    if answer.status != 200 or not isinstance(calls, list):
        raise StackError(f"the provider's records could not be read (status {answer.status})")
    return [call for call in calls if isinstance(call, dict)]


def joined_by(found: Probe, calls: list[dict[str, object]]) -> str | None:
    """Return by what the provider's calls can be told to be this request's: `request id`, `prompt tag`, or None."""
    if any(call.get("request_id") == found.request_id for call in calls):
        return "request id"
    return "prompt tag" if any(call.get("tag") for call in calls) else None


def _see_the_call(found: Probe, calls: list[dict[str, object]], offer: Offer) -> None:
    if not calls:
        raise ConfigurationError(
            "the target answered without calling the simulated provider: faults there would do nothing",
            advice="let it call ${provider.primary.url}/v1 (`start.env`), or leave `provider` out of the description",
        )
    joined = joined_by(found, calls)
    if joined is None or (joined == "prompt tag" and not offer.prompt_tag):
        raise ConfigurationError(
            "the provider's call cannot be joined with the request that caused it: no x-request-id was passed on",
            advice="add `correlate: [{prompt_tag: true}]` to the description",
        )
