"""A plug-in file, run: the bytes whose digest is in the plan, and no compiled copy left beside it."""

import sys
import traceback
import types

from harness.errors import ConfigurationError
from harness.extensions.declared import read_declared
from harness.extensions.kinds import CheckExtension, Extension, FaultExtension, ObjectiveExtension


def import_plugin(data: bytes, name: str, path: str, digest: str) -> list[Extension]:
    """Return what a file declares, with its code. name: for errors; path: absolute. Raises ConfigurationError.

    What it declares must be what can be read without running it: that is what was planned and reviewed.
    """
    declared = read_declared(data, name)
    module = types.ModuleType(f"harness_plugin_{digest[:16]}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses of the file look for it there
    patched = "gevent.monkey" in sys.modules
    try:
        exec(compile(data, path, "exec"), module.__dict__)  # noqa: S102 - what the scenario's author asks for
    except (Exception, SystemExit) as error:
        sys.modules.pop(module.__name__, None)
        line = next((f.lineno for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename == path), 1)
        raise ConfigurationError(
            f"{name}:{line}: importing it raised {type(error).__name__}: {error}",
            advice="a plug-in is imported by the harness's own Python: are its packages installed there?",
        ) from error
    if not patched and "gevent.monkey" in sys.modules:
        raise ConfigurationError(
            f"{name}: it imports gevent or locust, which change how this process waits",
            advice="load belongs to the scenario and to locustfiles; leave them out of a plug-in",
        )
    found = [each for each in vars(module).values() if isinstance(each, FaultExtension | CheckExtension | ObjectiveExtension)]
    names = sorted((type(each).__name__, each.name) for each in found)
    if names != sorted((type(each).__name__, each.name) for each in declared):
        told = ", ".join(each.name for each in found) or "nothing"
        read = ", ".join(each.name for each in declared) or "nothing"
        raise ConfigurationError(
            f"{name}: it declares {told} when it runs, and {read} when it is read",
            advice="declare each at the top level, as NAME = FaultExtension(...), so that it can be planned without being run",
        )
    return found
