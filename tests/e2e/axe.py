"""axe-core, the accessibility checker, from npm at one version whose digest is known; nothing of it is kept in the repository."""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from chromium import Tab

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
"""What the registry says of the package, `npm view axe-core@VERSION dist.integrity`."""

_RUN = "axe.run(document, {resultTypes: ['violations', 'passes'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"


def fetch_axe(into: Path) -> str:
    """Return the script. Where it cannot be had the test is skipped, and fails where CI=true."""
    npm = shutil.which("npm")
    if npm is None:
        _cannot("no npm on the PATH; apt-get install npm")
    environment = {**os.environ, "npm_config_cache": str(into / "cache"), "npm_config_update_notifier": "false"}
    done = subprocess.run(
        [str(npm), "pack", "--silent", f"axe-core@{VERSION}"],
        cwd=into,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    package = into / f"axe-core-{VERSION}.tgz"
    if done.returncode != 0 or not package.is_file():
        _cannot(f"npm cannot fetch axe-core {VERSION}: {done.stderr.strip()[-300:]}")
    assert base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() == SHA512, (
        "not the package that was looked at"
    )
    with tarfile.open(package) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


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


def _cannot(reason: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
