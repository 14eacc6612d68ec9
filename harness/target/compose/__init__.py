"""The stack of `docker-compose.yaml`, already up: what people look at is what a run tests."""

from harness.target.compose.target import ComposeTarget

__all__ = ["ComposeTarget"]
