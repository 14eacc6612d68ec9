"""`python -m reference_service.defects [--parts]`: what can be planted, as one JSON object by name.

With `--parts` each says which parts it breaks: two that break different ones can be planted together.
"""

import json
import sys

from reference_service.defects import DEFECTS, parts_broken_by


def main(arguments: list[str]) -> int:
    """Print the object; 2 for wrong use."""
    if arguments not in ([], ["--parts"]):
        sys.stderr.write("usage: python -m reference_service.defects [--parts]\n")
        return 2
    said: dict[str, dict[str, object]] = {name: {"title": d.title, "row": d.row} for name, d in DEFECTS.items()}
    if arguments:
        from reference_service.operations.tools import Tools
        from reference_service.parts import Parts

        for name, told in said.items():
            told["parts"] = sorted({*parts_broken_by(name, Parts(), "plant"), *parts_broken_by(name, Tools(), "plant_tool")})
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
