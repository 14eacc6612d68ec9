"""A locustfile of the user's: imported as Locust does it, and found to be one before anything is sent."""

import hashlib
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import locust
from locust import User, argument_parser
from locust.env import Environment
from locust.util.load_locustfile import is_shape_class, is_user_class

from harness.errors import ConfigurationError
from harness.model.assignment import Assignment

_MODULE = "locustfile"
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locustfile:
    """What a file holds. users: its user classes that can be spawned, in the order written; module: where they live."""

    path: Path
    users: tuple[type[User], ...]
    has_shape: bool
    module: ModuleType

    def facts(self) -> dict[str, object]:
        """Return what people are told of it before the run."""
        return {
            "users": [
                {
                    "name": user.__name__,
                    "weight": user.weight,
                    "tasks": [getattr(task, "__name__", str(task)) for task in user.tasks],
                }
                for user in self.users
            ],
            "has_shape": self.has_shape,
        }


def import_locustfile(path: Path, digest: str | None = None) -> Locustfile:
    """Import a locustfile. Raises ConfigurationError where it is not there, raises, or holds no user with a task.

    digest: what the plan says its bytes are; another file than the planned one is refused. The environment's proxies are
    forgotten before, because load that goes another way than planned is load on somebody else.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: the locustfile cannot be read: {error.strerror}") from error
    if digest is not None and hashlib.sha256(source).hexdigest() != digest:
        raise ConfigurationError(f"{path}: the locustfile was changed after the run was planned; run again")
    for name in _PROXIES:
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    module = _import(path)
    users = tuple(value for value in vars(module).values() if is_user_class(value) and value is not User)
    if not users:
        raise ConfigurationError(
            f"{path}: no user in the locustfile",
            advice="it needs a class that inherits from HttpUser, FastHttpUser or User, and is not `abstract`",
        )
    for user in users:
        if not user.tasks:
            raise ConfigurationError(f"{path}: {user.__name__} has no task; mark one of its methods with @task")
    if not any(user.weight > 0 for user in users):
        raise ConfigurationError(f"{path}: no user in the locustfile has a weight above 0")
    return Locustfile(
        path=path,
        users=tuple(dict.fromkeys(user for user in users if user.weight > 0)),
        has_shape=any(is_shape_class(value) for value in vars(module).values()),
        module=module,
    )


def environment_of(file: Locustfile, assignment: Assignment) -> Environment:
    """Return Locust's environment for the users of a file, whose listeners hear of it. Raises ConfigurationError."""
    try:
        options = argument_parser.get_parser(default_config_files=[]).parse_args([])
    except SystemExit:
        what = f"{file.path}: an option that the locustfile adds to Locust's command line has no default"
        raise ConfigurationError(what) from None
    host = assignment.base_url + assignment.base_path
    environment = Environment(user_classes=list(file.users), host=host, events=locust.events, catch_exceptions=True)
    environment.parsed_options = options
    environment.create_local_runner()  # for files that look at it; it starts nobody
    for user in file.users:
        user.host = host
    return environment


def where_raised(error: BaseException, path: Path) -> str:
    """Return what was raised, and at which line of the file: `KeyError: 'choices' (locustfile.py:12)`."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if Path(frame.filename).name == path.name), None)
    if isinstance(error, SyntaxError) and error.filename is not None and Path(error.filename).name == path.name:
        line = error.lineno
    text = f"{type(error).__name__}: {error}".splitlines()[0] if str(error) else type(error).__name__
    return f"{text} ({path.name}:{line})" if line is not None else text


def _import(path: Path) -> ModuleType:
    # A name of its own: a file called `harness.py` or `locust.py` must not take the place of a module that is in use.
    loader = importlib.machinery.SourceFileLoader(_MODULE, str(path))
    spec = importlib.util.spec_from_file_location(_MODULE, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    folder = str(path.parent)
    sys.path.insert(0, folder)
    try:
        loader.exec_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{path}: the locustfile imports what is not installed here: {where_raised(error, path)}",
            advice=f"install it for the Python that the harness runs in: {sys.executable} -m pip install {error.name or '...'}",
        ) from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"{path}: the locustfile raised when it was imported: {where_raised(error, path)}") from error
    finally:
        sys.path.remove(folder)
        sys.path.append(folder)  # what it imports later is found too, and hides nothing of ours
    return module
