"""What programs use: run and judge scenarios, start a stack or a provider, break them, and see what happened.

    from harness import api

    result = api.run("provider-outage", target="gateway.yaml")
    with api.stack() as stack, stack.fault("provider.primary", "timeout"):
        ...

The commands of the command line do the same through the same rooms. Names are loaded when they are first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api.providers import Provider, provider
    from harness.api.runs import judge, plan, run
    from harness.api.stacks import Stack, stack
    from harness.model.judgement import Status, Verdict
    from harness.run.session import RunResult

__all__ = ["Provider", "RunResult", "Stack", "Status", "Verdict", "judge", "plan", "provider", "run", "stack"]

_HOMES = {
    "Provider": "harness.api.providers",
    "RunResult": "harness.run.session",
    "Stack": "harness.api.stacks",
    "Status": "harness.model.judgement",
    "Verdict": "harness.model.judgement",
    "judge": "harness.api.runs",
    "plan": "harness.api.runs",
    "provider": "harness.api.providers",
    "run": "harness.api.runs",
    "stack": "harness.api.stacks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
