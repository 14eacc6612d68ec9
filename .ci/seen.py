"""What JUnit files of pytest say was seen: so that CI runs every test once where it must pass, and says what ran.

As a plugin, `PASSED=FILE:FILE pytest -p seen` leaves out the tests that have passed there; one that was skipped, or that is
not known there, stays in. As a program:

    seen.py not-run FILE...          names the tests that were skipped
    seen.py unexpected LIST FILE...  those that a list does not name, and names that were not skipped; exit 1 where any is
    seen.py closing FILE...          pytest's closing line for all of the files together

Of a test in several files the last one counts.
"""

import os
import re
import sys
import xml.etree.ElementTree as Xml
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest


def outcomes(paths: Iterable[Path]) -> dict[tuple[str, str], str]:
    """Return `passed`, `skipped` or `failed` by class name and name of the test."""
    last: dict[tuple[str, str], str] = {}
    for path in paths:
        for case in Xml.parse(path).iter("testcase"):  # noqa: S314 - pytest has just written it
            last[case.attrib["classname"], case.attrib["name"]] = _outcome({child.tag for child in case})
    return last


def _outcome(tags: set[str]) -> str:
    if tags & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in tags else "passed"


def key(nodeid: str) -> tuple[str, str]:
    """Return the class name and the name under which pytest writes a test into a JUnit file."""
    address, bracket, parameters = nodeid.partition("[")
    module, *names = address.split("::")
    return ".".join([re.sub(r"\.py$", "", module).replace("/", "."), *names[:-1]]), names[-1] + bracket + parameters


def not_run(paths: Iterable[Path]) -> list[str]:
    """Return the tests that were skipped, without parameters, sorted."""
    return sorted(
        {f"{where}::{name.partition('[')[0]}" for (where, name), outcome in outcomes(paths).items() if outcome == "skipped"}
    )


def unexpected(patterns: Iterable[str], skipped: Iterable[str]) -> list[str]:
    """Return what differs between a list and the tests that were skipped, a sentence each; a pattern with * may name none."""
    expected, names = [line for line in patterns if line and not line.startswith("#")], list(skipped)
    told = [f"not run, and not expected so: {name}" for name in names if not any(fnmatchcase(name, each) for each in expected)]
    return told + [
        f"expected not to run, and was not skipped: {each}" for each in expected if "*" not in each and each not in names
    ]


def closing(paths: Iterable[Path]) -> str:
    """Return pytest's closing line: each test once, the seconds of all files."""
    files = list(paths)
    took_s = sum(float(suite.attrib["time"]) for path in files for suite in Xml.parse(path).iter("testsuite"))  # noqa: S314
    counted = Counter(outcomes(files).values())
    told = [f"{counted[outcome]} {outcome}" for outcome in ("failed", "passed", "skipped") if counted[outcome]]
    return f"{', '.join(told) or 'no tests ran'} in {took_s:.2f}s"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what has not passed yet."""
    done = outcomes(Path(path) for path in os.environ["PASSED"].split(":"))
    items[:] = [item for item in items if done.get(key(item.nodeid)) != "passed"]


def main(what: str, *names: str) -> int:
    """Do what the command line asks for; return the exit code."""
    paths = [Path(name) for name in names]
    if what == "unexpected":
        lines = unexpected(paths[0].read_text(encoding="utf-8").splitlines(), not_run(paths[1:]))
    else:
        lines = {"not-run": not_run, "closing": lambda files: [closing(files)]}[what](paths)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if what == "unexpected" and lines else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
