"""Write the bill of materials of an image, CycloneDX 1.5 as JSON on standard output; run inside the image's build.

`python sbom.py NAME VERSION`: Python packages by their metadata, system packages by dpkg's list.
"""

import importlib.metadata
import json
import sys
from pathlib import Path


def python_packages() -> list[dict[str, str]]:
    """Return what this interpreter can import as a package."""
    found = {(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()}
    return [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name.lower()}@{version}"}
        for name, version in sorted(found)
    ]


def system_packages(status: Path = Path("/var/lib/dpkg/status")) -> list[dict[str, str]]:
    """Return what dpkg has installed; nothing where there is no dpkg."""
    if not status.is_file():
        return []
    found = []
    for block in status.read_text(encoding="utf-8").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line[0].isspace())
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            found.append({"type": "library", "name": name, "version": version, "purl": f"pkg:deb/debian/{name}@{version}"})
    return found


def main() -> None:
    """Write the document."""
    name, version = sys.argv[1:3]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": name, "version": version}},
        "components": [*python_packages(), *system_packages()],
    }
    json.dump(document, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
