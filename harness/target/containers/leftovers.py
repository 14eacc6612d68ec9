"""Containers and networks that a killed harness left behind: found by label, removed with their volumes."""

from collections.abc import Callable
from typing import Any

from harness.faults.engine import Engine, EngineError
from harness.target.containers import label


def clean_containers(engine: Engine | None = None) -> list[str]:
    """Remove what dead runs left at this user's engine; return one sentence for each thing done or not possible.

    Nothing where no engine answers: then nothing of ours runs there either.
    """
    try:
        engine = Engine.find() if engine is None else engine
    except EngineError:
        return []
    return remove_stacks(engine, label.is_leftover)


def remove_stacks(engine: Engine, which: Callable[[dict[str, str]], bool]) -> list[str]:
    """Remove every container and network of ours whose labels `which` accepts; return what was done, a sentence each."""
    query = {"filters": f'{{"label": ["{label.STACK}"]}}'}
    force = {"force": "1", "v": "1"}
    done: list[str] = []
    try:
        containers = [
            found for found in engine.ask("GET", "/containers/json", query=query | {"all": "1"}) if which(found["Labels"])
        ]
        done += [_remove(engine, found, f"/containers/{found['Id']}", force, "container") for found in containers]
        networks = [found for found in engine.ask("GET", "/networks", query=query) if which(found["Labels"])]
        done += [_remove(engine, found, f"/networks/{found['Id']}", {}, "network") for found in networks]
    except EngineError as error:
        done.append(error.message)
    return done


def _remove(engine: Engine, found: dict[str, Any], path: str, query: dict[str, str], what: str) -> str:
    name = f"{what} {found['Labels'].get(label.NAME, found['Id'][:12])} of stack {found['Labels'][label.STACK]}"
    try:
        engine.ask("DELETE", path, query=query)
    except EngineError as error:
        if error.status != 404:
            return f"could not remove {name}: {error.message}"
    return f"removed {name}"
