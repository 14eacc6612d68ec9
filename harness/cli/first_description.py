"""The text of a first target description, with what a service told and comments where it told nothing."""

import json

from harness.cli.init_questions import Answered
from harness.target.external.asking import Told, quoted

_SIGNAL_TESTS = {"fallback": ", above: 0", "cache": ', matches: "(?i)^hit"', "cost": "", "degraded": ", above: 0"}


def first_description(told: Told | None, key_env: str | None, *, said: Answered | None = None) -> str:
    """Return a description that reads without an error.

    told: by the service, None where it was not asked. said: by a person, None where nobody was asked.
    """
    told = told or Told(base_url="http://127.0.0.1:4000" if said is None else said.base_url)
    model = told.models[0] if told.models else "auto"
    others = ", ".join(told.models[1:]) or "none"
    lines = [
        "# A target description: docs/reference/target.md says what each key means.",
        "# Check it with `harness validate`, see what it finds with `harness try --target target.yaml`.",
        "name: my-service",
        f"base_url: {quoted(told.base_url)}",
    ]
    version = told.headers.get("version")
    lines += [f"version: {{header: {version}}}" if version else "# version: {header: x-version}   # or ${env:GIT_SHA}"]
    lines += [
        "",
        *_keys(key_env, said),
        "",
        f"models: {{normal: {quoted(model)}}}   # it also listed: {others}",
        "",
        "# The simulated provider in the place of your real one; point the service at these addresses.",
        "# Without it nothing can be said about what a request really caused, and no provider fault can be injected.",
        *_start(told, said),
        f"health: {{get: {told.health}}}" if told.health else "# health: {get: /health}",
        "",
    ]
    lines += _signals(told)
    lines += _refusals(told)
    lines += [
        "",
        "# What the harness holds itself to; mandatory where the service is not on this machine.",
        "limits: {rate_rps: 20, concurrency: 100, requests: 5000}",
    ]
    return "\n".join(lines) + "\n"


def _keys(key_env: str | None, said: Answered | None) -> list[str]:
    if said is not None and key_env is None:
        return ["auth: {value: none}   # it asks for no key"]
    return [
        'auth: {header: Authorization, value: "Bearer ${key}"}',
        "# Keys never stand here: ${env:NAME} or ${file:PATH}.",
        f'principals: {{alice: {{key: "${{env:{key_env or "SERVICE_KEY"}}}"}}}}',
    ]


def _start(told: Told, said: Answered | None) -> list[str]:
    """Return provider, correlation and start: as answered, or as comments to be completed."""
    correlate = "correlate: [{header: x-request-id}]   # or [{prompt_tag: true}] where the service passes no id on"
    why = "# Let the harness start the service (then `listen: auto` works, and faults may kill it):"
    if said is None or said.start is None:
        return [
            '# provider: {endpoints: {primary: {listen: "127.0.0.1:9001"}, secondary: {listen: "127.0.0.1:9002"}}}',
            f"# {correlate}",
            "",
            why,
            '# start: {command: [./run.sh], env: {OPENAI_BASE_URL: "${provider.primary.url}/v1"}, ready: {get: /health}}',
        ]
    command = json.dumps(said.start, ensure_ascii=False)
    env = "" if said.upstream is None else f'env: {{{said.upstream}: "${{provider.primary.url}}/v1"}}, '
    ready = f"ready: {{get: {told.health or '/health'}, within: 60s}}"
    provider = (
        ["provider: {endpoints: {primary: {listen: auto}}}", correlate]
        if said.upstream is not None
        else [
            "# provider: {endpoints: {primary: {listen: auto}}}   # and tell the service, in `start.env`, where it is",
            f"# {correlate}",
        ]
    )
    return [*provider, "", why, f"start: {{command: {command}, {env}{ready}}}"]


def _signals(told: Told) -> list[str]:
    found = {name: header for name, header in told.headers.items() if name in _SIGNAL_TESTS}
    if not found:
        return ["# signals: {fallback: {header: x-gateway-fallback, above: 0}, cost: {header: x-cost}}"]
    rows = [
        f"  {name}: {{header: {header}{_SIGNAL_TESTS[name]}}}   # seen in an answer; is the test right?"
        for name, header in found.items()
    ]
    return ["signals:", *rows]


def _refusals(told: Told) -> list[str]:
    place = f"json: {told.error_path}" if told.error_path else "json: $.error.code"
    auth = f"[{{status: [{told.without_key}]}}]" if told.without_key else "[{status: [401, 403]}]"
    return [
        "refusals:",
        f"  auth: {auth}" + ("   # seen without a key" if told.without_key else ""),
        "  rate: [{status: [429]}]",
        f"  # budget: [{{status: [402]}}, {{status: [400, 403, 429], {place}, matches: budget}}]",
        f"  # guard: [{{status: [400], {place}, matches: content}}]",
    ]
