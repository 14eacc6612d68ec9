"""Principals of a run: those that the description names, or new ones made as it says, each with a key."""

import json
import math
from collections.abc import Mapping, Sequence

from harness.errors import ConfigurationError, StackError
from harness.exchange.predicates import walk
from harness.model.target import Needs
from harness.target.description import Description
from harness.target.description.document import KeyStepDocument, ProvisionCommandDocument
from harness.target.description.placeholders import Placeholders
from harness.target.external.caller import Caller
from harness.target.external.site import ForeignSite


def principals_of(needs: Needs) -> dict[str, float | None]:
    """Return every principal of a plan and its budget in dollars, None without one."""
    ordinary: dict[str, float | None] = {f"user-{number:04d}": None for number in range(needs.principals)}
    return ordinary | {made.name: None for made in needs.made} | dict(needs.capped_principals)


def provision(
    description: Description, needs: Needs, placeholders: Placeholders, caller: Caller, site: ForeignSite
) -> dict[str, str]:
    """Return a key for every principal of the plan. Raises StackError, ConfigurationError.

    Named principals share the ordinary load in turn; those with a budget of their own are always made anew.
    """
    document = description.document
    wanted = principals_of(needs)
    named = [_key(placeholders, part.key) for part in document.principals.values()]
    if isinstance(document.provision, ProvisionCommandDocument):
        keys = _by_command(description, document.provision, wanted, placeholders, site)
    else:
        made = wanted if description.steps and not named else {name: cap for name, cap in wanted.items() if cap is not None}
        keys = _by_requests(description.steps, made, placeholders, caller) if description.steps else {}
        rest = [name for name in wanted if name not in keys]
        if named:
            keys |= {name: named[number % len(named)] for number, name in enumerate(rest)}
        elif rest:
            keys |= dict.fromkeys(rest, "")  # the description needs no key
    for key in keys.values():
        placeholders.keep(key)
    site.mask_also([key for key in keys.values() if key])
    return keys


def _key(placeholders: Placeholders, text: str) -> str:
    try:
        return placeholders.fill(text)
    except ValueError as error:
        raise ConfigurationError(f"a key of `principals`: {error}") from None


def _by_requests(
    steps: Sequence[KeyStepDocument], wanted: Mapping[str, float | None], placeholders: Placeholders, caller: Caller
) -> dict[str, str]:
    keys: dict[str, str] = {}
    for name, cap_usd in wanted.items():
        known: dict[str, object] = {"principal": name, "cap_usd": cap_usd}
        known |= {saved: None for step in steps for saved in step.save}
        for step in steps:
            if step.only is None or (step.only == "capped") == (cap_usd is not None):
                key = _step(step, known, placeholders, caller)
                if key is not None:
                    keys[name] = key
        if name not in keys:
            raise StackError(f"`provision` gave {name} no key", advice="does its `key` step run for every principal?")
    return keys


def _step(step: KeyStepDocument, known: dict[str, object], placeholders: Placeholders, caller: Caller) -> str | None:
    """Send one request; put what it saves into `known`; return the key where it has one."""
    body = placeholders.fill_body(step.body, known)
    headers = {name: placeholders.fill(text) for name, text in step.headers.items()}
    answer = caller.post(step.post, body, headers=headers)
    if not 200 <= answer.status < 300:
        shown = answer.body[:300].decode("utf-8", "replace")
        raise StackError(f"provision: POST {step.post} for {known['principal']} was answered with {answer.status}: {shown}")
    found = answer.json()
    for saved, path in step.save.items():
        value = walk(found, path)
        if value is None:
            raise StackError(f"provision: the answer to POST {step.post} holds nothing at {path}")
        known[saved] = value
    if step.key is None:
        return None
    key = walk(found, step.key)
    if not isinstance(key, str) or not key:
        raise StackError(f"provision: the answer to POST {step.post} holds no key at {step.key}")
    return key


def _by_command(
    description: Description,
    order: ProvisionCommandDocument,
    wanted: Mapping[str, float | None],
    placeholders: Placeholders,
    site: ForeignSite,
) -> dict[str, str]:
    principals = [{"name": name, "budget_usd": cap_usd} for name, cap_usd in wanted.items()]
    printed = site.run_foreign(
        "provision",
        [placeholders.fill(part) for part in order.command],
        {name: placeholders.fill(text) for name, text in order.env.items()},
        description.folder,
        stdin=json.dumps({"principals": principals}),
        within_s=math.ceil(order.within / 1e9),
    )
    for line in printed.splitlines():
        if line.startswith(b"{"):
            try:
                keys = json.loads(line).get("keys")
            except ValueError:
                continue
            if isinstance(keys, dict) and all(isinstance(key, str) for key in keys.values()):
                missing = [name for name in wanted if name not in keys]
                if missing:
                    raise StackError(f"the provision command gave {missing[0]} no key ({len(missing)} without one)")
                return {name: keys[name] for name in wanted}
    raise StackError('the provision command printed no line {"keys": {"user-0000": "...", ...}}')
