"""What a relay is told on standard input: where the real provider is, its key, whose calls it takes, what they may cost."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from harness.errors import ConfigurationError
from harness.model.simulated import SimulatedModel


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dollars per million tokens."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A real provider. url: up to what `/chat/completions` follows, `https://HOST/v1`; address: what HOST was resolved to."""

    url: str
    key: str
    address: str

    @property
    def tls(self) -> bool:
        """Whether it is spoken to through TLS."""
        return urlsplit(self.url).scheme == "https"

    @property
    def host(self) -> str:
        """The name that its certificate is for."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or (443 if self.tls else 80)

    @property
    def host_header(self) -> str:
        """What `Host` says."""
        return urlsplit(self.url).netloc

    @property
    def base_path(self) -> str:
        """What goes before `/chat/completions`."""
        return urlsplit(self.url).path.rstrip("/")


class RelayOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """token: what a caller has to show, so that nobody else on this machine spends the real key.

    spend_cap_usd: beyond it every call is refused. prices: by the model's name as the provider knows it.
    """

    token: str
    spend_cap_usd: float
    upstreams: Mapping[str, Upstream]
    prices: Mapping[str, Price]

    @classmethod
    def parse(cls, line: bytes) -> "RelayOrder":
        """Return the order of one line of JSON. Raises ConfigurationError that does not repeat it: it holds a key."""
        try:
            order = msgspec.json.decode(line, type=cls)
            for upstream in order.upstreams.values():
                ipaddress.ip_address(upstream.address)
                scheme = urlsplit(upstream.url).scheme
                if scheme not in ("http", "https") or not upstream.host or not 0 < upstream.port < 65_536:
                    raise ValueError
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError):
            what = '{"token", "spend_cap_usd", "upstreams": {NAME: {"url", "key", "address"}}, "prices"}'
            raise ConfigurationError(f"--relay: standard input holds no line of JSON like {what}") from None
        return order

    def models(self) -> dict[str, SimulatedModel]:
        """Return the models that may be called, by name, with their prices: what the meter counts in."""
        return {
            name: SimulatedModel(
                name=name, input_usd_per_mtok=price.input_usd_per_mtok, output_usd_per_mtok=price.output_usd_per_mtok
            )
            for name, price in self.prices.items()
        }
