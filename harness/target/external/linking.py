"""What stands between a described target and all that it calls: our provider, and a link before each thing that may break."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import replace

from harness.model.target import Link
from harness.target.description import Description
from harness.target.description.document import EndpointDocument, LinkDocument
from harness.target.description.placeholders import Placeholders
from harness.target.embedded import programs
from harness.target.external.links import addresses, find_link, make_link
from harness.target.external.relay import relay_order
from harness.target.external.site import ForeignSite


class Linking:
    """The links of one description, made or found. allowed: hosts beside loopback that were typed on the command line."""

    def __init__(self, description: Description, site: ForeignSite, placeholders: Placeholders, allowed: Collection[str]) -> None:
        self._description = description
        self._site = site
        self._placeholders = placeholders
        self._allowed = allowed
        links: Mapping[str, EndpointDocument | LinkDocument] = description.document.links
        all_parts = (("provider", self._endpoints), ("links", links))
        self._advertised = {
            f"{room}.{name}": placeholders.fill(part.advertise)
            for room, parts in all_parts
            for name, part in parts.items()
            if part.advertise is not None
        }

    def before_the_start(self, *, seed: int) -> tuple[dict[str, Link], str | None]:
        """Start provider and fault proxy where they are asked for; return the links, and the provider's control.

        Raises StackError, ConfigurationError.
        """
        document, site, fill = self._description.document, self._site, self._placeholders.fill
        relay = relay_order(document, self._placeholders, self._provider_key(), self._allowed)
        provider = programs.start_provider(site, seed=seed, relay=relay) if self._endpoints else None
        ours = {name: link for name, link in document.links.items() if link.upstream is not None}
        api = programs.start_fault_proxy(site, seed=seed) if provider is not None or ours else ""
        behind: dict[str, tuple[str, str]] = {}
        if provider is not None:
            behind = {f"provider.{n}": (provider.endpoints[n], fill(part.listen)) for n, part in self._endpoints.items()}
        behind |= {f"links.{n}": (fill(link.upstream or ""), fill(link.listen)) for n, link in ours.items()}
        links = {
            name: make_link(api, name, upstream=upstream, listen=listen, free_port=site.free_port)
            for name, (upstream, listen) in behind.items()
        }
        if not self._description.starts_by_compose:
            links |= self._in_place()
        self._placeholders.know_all(addresses(links, self._advertised))
        return links, None if provider is None else f"http://{provider.control}"

    def after_the_start(self) -> dict[str, Link]:
        """Return the links through a Toxiproxy that is there only now: a part of the target's own compose file."""
        if not self._description.starts_by_compose:
            return {}
        links = self._in_place()
        self._placeholders.know_all(addresses(links, self._advertised))
        return links

    @property
    def _endpoints(self) -> Mapping[str, EndpointDocument]:
        provider = self._description.document.provider
        return {} if provider is None else {str(name): part for name, part in provider.endpoints.items()}

    def _provider_key(self) -> str:
        """Return what the target shows our provider: its own key, or one made for this run."""
        provider = self._description.document.provider
        given = None if provider is None else provider.key
        key = f"sk-run-{secrets.token_hex(24)}" if given is None else self._placeholders.fill(given)
        self._placeholders.keep(key)
        self._placeholders.know_all({"provider.key": key})
        self._site.mask_also([key])
        return key

    def _in_place(self) -> dict[str, Link]:
        fill, found = self._placeholders.fill, {}
        for name, part in self._description.document.links.items():
            if part.toxiproxy is None:
                continue
            link = find_link(fill(part.toxiproxy), part.proxy or "", f"links.{name}", self._allowed)
            if part.listen != "auto":  # where this machine reaches it, through a published port
                link = replace(link, listen=fill(part.listen), published=True)
            found[link.name] = link
        return found
