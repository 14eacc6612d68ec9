"""The embedded stack: PostgreSQL, Valkey, Caddy, the provider, the fault proxy and the service, as local processes."""

from harness.target.embedded.target import EmbeddedTarget

__all__ = ["EmbeddedTarget"]
