"""The reference page of the service names every setting with its default, every endpoint, program, header and feature."""

import re
from pathlib import Path

from reference_service.envelope import ROUTES, gateway_headers
from reference_service.guards.features import FEATURES
from reference_service.settings import SECRETS, Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "service.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `SERVICE_([A-Z_]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_every_setting_stands_there_with_its_default_and_no_other_does():
    rows = {name.lower(): default.strip() for name, default, _ in ROW.findall(PAGE)}
    assert list(rows) == list(Settings.model_fields)
    for name, shown in rows.items():
        default = Settings.model_fields[name].get_default(call_default_factory=True)
        if name != "prices":
            assert shown == ("on" if default is True else "-" if default in (None, "") else str(default)), name


def test_secrets_are_marked():
    assert {name.lower() for name, _, text in ROW.findall(PAGE) if "*(secret)*" in text} == SECRETS


def test_endpoints_headers_and_features_stand_there():
    assert [route for route in ROUTES if f"{route}`" not in PAGE] == []
    assert [name for name in gateway_headers(None) if f"`{name}`" not in PAGE] == []
    assert [feature for feature in FEATURES if f"`{feature}`" not in PAGE] == []


def test_every_program_stands_there():
    folder = ROOT / "reference_service"
    programs = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in folder.rglob("*.py")
        if '__name__ == "__main__"' in file.read_text(encoding="utf-8") and "observability" not in file.parts
    }
    assert programs == set(re.findall(r"^\| `(reference_service\.[a-z_.]+)`", PAGE, re.MULTILINE))
