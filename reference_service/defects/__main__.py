"""`python -m reference_service.defects`: what can be planted, as one JSON object by name."""

import json
import sys

from reference_service.defects import DEFECTS

if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: {"title": d.title, "row": d.row} for name, d in DEFECTS.items()}) + "\n")
