"""Transport faults: toxics and disabled proxies at a Toxiproxy, the real one or the embedded."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from harness.errors import FaultError
from harness.faults.expected import ANSWER_WITHIN_S, CHECK_FOR_S, expectation
from harness.faults.guardian.undo import HttpStep, UndoStep
from harness.faults.probe import Behaviour, Probed, probe, question
from harness.faults.sockets import live_connections
from harness.faults.toxiproxy_client import Toxic, ToxiproxyClient
from harness.model.fault import Acted, ActedBy, Fault, Scalar
from harness.model.fault_kinds import FAULT_KINDS, complete
from harness.model.fault_kinds.requests import split_requests
from harness.model.target import Link

DOWN = "down"
FULL = "ports_exhausted"
_BY_THE_PROXY = frozenset({DOWN, FULL})
"""What is no toxic: the proxy itself is told."""

_ACCOUNTED_WITHIN_S = 0.5
"""Our probe stands in the accounts within a millisecond, on a machine that has time for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What was seen before a fault was applied, and how often its toxics had acted once it was confirmed."""

    probed: Probed
    acted: int = 0


class ToxiproxyBackend:
    """Faults on the links of a target. See `Backend`."""

    def __init__(self, links: Mapping[str, Link], *, timeout_s: float = 1.0) -> None:
        self._links = links
        self._clients = {link.toxiproxy_url: ToxiproxyClient(link.toxiproxy_url, timeout_s=timeout_s) for link in links.values()}
        self._before: dict[str, _Before] = {}
        self._acted: dict[str, int | None] = {}
        self._cut: dict[str, int] = {}

    def undo_steps(self, fault: Fault) -> tuple[UndoStep, ...]:
        """Return the call that enables the proxy, or those that remove the toxics."""
        link = self._link(fault)
        proxy_url = f"{link.toxiproxy_url.rstrip('/')}/proxies/{quote(link.proxy, safe='')}"
        if fault.kind == DOWN:
            return (HttpStep(method="POST", url=proxy_url, body=json.dumps({"enabled": True})),)
        if fault.kind == FULL:
            return (HttpStep(method="DELETE", url=f"{proxy_url}/full"),)
        return tuple(
            HttpStep(method="DELETE", url=f"{proxy_url}/toxics/{quote(toxic.name, safe='')}") for toxic in _toxics(fault)
        )

    def apply(self, fault: Fault) -> None:
        """Add the toxics, or disable the proxy."""
        link, client = self._link(fault), self._client(fault)
        before = probe(link, within_s=ANSWER_WITHIN_S if question(link) else CHECK_FOR_S, see_off=True)
        if before.behaviour is Behaviour.REFUSED:
            raise FaultError(
                f"{fault.id}: {fault.at} refuses connections at {link.listen} before any fault is applied",
                advice=f"is proxy {link.proxy!r} at {link.toxiproxy_url} enabled?",
            )
        self._before[fault.id] = _Before(probed=before)
        if fault.kind == DOWN:
            # The ones that are about to be cut; connections that are refused later leave no trace anywhere.
            self._cut[fault.id] = live_connections(link.listen)
            client.set_enabled(link.proxy, False)
        if fault.kind == FULL:
            client.set_full(link.proxy, True)
        for toxic in _toxics(fault):
            client.add_toxic(link.proxy, toxic)

    def confirm(self, fault: Fault) -> None:
        """See it in the proxy's list, and on a connection of our own where its effect shows at once."""
        link, client = self._link(fault), self._client(fault)
        if not self.in_force(fault):
            raise FaultError(f"{fault.id}: {fault.kind} is not listed at proxy {link.proxy!r} of {link.toxiproxy_url}")
        before = self._before[fault.id].probed
        expected = expectation(fault, before, published=link.published, accounted=client.keeps_accounts())
        if expected is None:
            return
        seen = probe(link, within_s=expected.watch_s)
        counted = None if fault.kind in _BY_THE_PROXY else self._settled_count(client, link, fault)  # refused is no connection
        if not expected.holds(seen) or counted == 0:
            raise FaultError(
                f"{fault.id}: {fault.kind} is listed at {fault.at} but does not act: {seen.behaviour.value} "
                f"after {seen.after_ns / 1e6:.1f} ms; expected: {expected.text}, by proxy {link.proxy!r}",
                advice=f"does {link.listen} lead through proxy {link.proxy!r}?",
            )
        self._before[fault.id] = _Before(probed=before, acted=counted or 0)

    def in_force(self, fault: Fault) -> bool:
        """Return whether the proxy lists what was applied, and with our settings."""
        link, client = self._link(fault), self._client(fault)
        if fault.kind == DOWN:
            return not client.is_enabled(link.proxy)
        if fault.kind == FULL:
            return client.is_full(link.proxy)
        listed = client.toxics(link.proxy)
        return all(
            (found := listed.get(toxic.name)) is not None
            and found.stream == toxic.stream
            and found.toxicity == toxic.toxicity
            and dict(found.requests) == dict(toxic.requests)
            and dict(found.attributes) == dict(found.attributes) | dict(toxic.attributes)
            for toxic in _toxics(fault)
        )

    def clear(self, fault: Fault) -> None:
        """Remove the toxics, or enable the proxy."""
        link, client = self._link(fault), self._client(fault)
        if fault.kind == DOWN:
            client.set_enabled(link.proxy, True)
        if fault.kind == FULL:
            client.set_full(link.proxy, False)
        for toxic in _toxics(fault):
            client.remove_toxic(link.proxy, toxic.name)
        # After the removal, which may touch connections itself; the accounts outlive the toxics.
        self._acted[fault.id] = self._count_since_confirmed(client, link, fault)

    def prove_clear(self, fault: Fault) -> None:
        """See that it is not listed, and that a connection is accepted; answered too, where one was before.

        An answer is waited for a moment only: where another fault holds it back, to be accepted is enough.
        """
        link, client = self._link(fault), self._client(fault)
        before = self._before.pop(fault.id, None)
        listed = client.toxics(link.proxy)
        full = fault.kind == FULL and client.is_full(link.proxy)
        if full or not client.is_enabled(link.proxy) or any(toxic.name in listed for toxic in _toxics(fault)):
            raise FaultError(f"{fault.id}: {fault.kind} is still in force at {fault.at}", advice=_by_hand(link, fault))
        seen = probe(link, within_s=0.2)
        if before is not None and before.probed.behaviour is Behaviour.ANSWERED and seen.behaviour is not Behaviour.ANSWERED:
            seen = probe(link, within_s=0.2)
        ended = link.published and before is not None and before.probed.behaviour is Behaviour.ANSWERED
        if seen.behaviour is Behaviour.REFUSED or (ended and seen.behaviour in {Behaviour.CLOSED, Behaviour.RESET}):
            raise FaultError(f"{fault.id}: {fault.at} still refuses connections at {link.listen}", advice=_by_hand(link, fault))

    def acted(self, fault: Fault) -> Acted | None:
        """Return on how many connections it acted, our own probe's left out; None from a Toxiproxy without accounts.

        For `down` those that were cut, by the kernel's list; None where there were none: the refused ones nobody counts.
        """
        count = self._acted.pop(fault.id, None)
        return None if count is None else Acted(by=ActedBy.PROXY, count=count)

    def renew(self, lease_s: float) -> None:
        """Renew the lease of every Toxiproxy that knows one."""
        for client in self._clients.values():
            client.renew_lease(lease_s)

    def release(self) -> None:
        """End the leases."""
        for client in self._clients.values():
            client.end_lease()

    def _link(self, fault: Fault) -> Link:
        try:
            return self._links[fault.at]
        except KeyError:
            raise FaultError(
                f"{fault.id}: the running target has no link {fault.at!r}; it has {', '.join(sorted(self._links)) or 'none'}"
            ) from None

    def _client(self, fault: Fault) -> ToxiproxyClient:
        return self._clients[self._link(fault).toxiproxy_url]

    def _count(self, client: ToxiproxyClient, link: Link, fault: Fault) -> int | None:
        if fault.kind == DOWN:
            return self._cut.get(fault.id) or None
        if fault.kind == FULL:
            return None  # the kernel refuses by itself, and tells nobody
        counts = client.acted(link.proxy)
        if counts is None:
            return None
        # One connection may be touched in both directions: the larger count is what is certain.
        return max(counts.get(toxic.name, 0) for toxic in _toxics(fault))

    def _count_since_confirmed(self, client: ToxiproxyClient, link: Link, fault: Fault) -> int | None:
        try:
            count = self._count(client, link, fault)
        except FaultError:
            return None  # removing matters more than counting; what ails the proxy shows at once
        before = self._before.get(fault.id)
        return None if count is None or before is None else max(0, count - before.acted)

    def _settled_count(self, client: ToxiproxyClient, link: Link, fault: Fault) -> int | None:
        """Return the count once our own probe is in it, so that it never passes for the fault's work.

        0 where the probe is in no account: it did not meet the fault. None where there are no accounts.
        """
        deadline = time.monotonic() + _ACCOUNTED_WITHIN_S
        while True:
            count = self._count(client, link, fault)
            if count != 0 or time.monotonic() > deadline:
                return count
            time.sleep(0.002)


def _toxics(fault: Fault) -> list[Toxic]:
    """Return the toxics that make a fault: none for `down`, two where it acts in both directions."""
    if fault.kind in _BY_THE_PROXY:
        return []
    given, requests = split_requests(fault.parameters)
    values: dict[str, Scalar] = complete(FAULT_KINDS[fault.kind], given)
    stream, toxicity = str(values.pop("stream")), float(values.pop("toxicity"))
    if requests and stream == "both":
        stream = "upstream"  # a request that is picked does not arrive, so nobody answers it either
    return [
        Toxic(
            name=f"{fault.id}_{direction}",
            kind=fault.kind,
            stream=direction,
            toxicity=toxicity,
            attributes={name: value for name, value in values.items() if isinstance(value, int | float)},
            requests=requests,
        )
        for direction in (("upstream", "downstream") if stream == "both" else (stream,))
    ]


def _by_hand(link: Link, fault: Fault) -> str:
    """Return what a person does when nothing else helped."""
    if fault.kind == FULL:
        return f"by hand: DELETE {link.toxiproxy_url}/proxies/{link.proxy}/full"
    what = f"enable proxy {link.proxy!r}" if fault.kind == DOWN else f"remove its toxics from proxy {link.proxy!r}"
    return f"by hand: {what} at {link.toxiproxy_url}, or POST {link.toxiproxy_url}/reset"
