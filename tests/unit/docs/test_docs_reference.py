"""The documentation says what the code has: pages that come from it are fresh, and every page is found from the first one."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


def generator():
    spec = importlib.util.spec_from_file_location("generate_reference", DOCS / "reference" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(generator().PAGES))
def test_a_page_that_comes_from_the_code_is_as_the_code_is(page: str):
    assert (DOCS / "reference" / page).read_text(encoding="utf-8") == generator().written(page), "run: make reference"


def test_every_command_and_every_option_has_its_line():
    from harness.cli.main import root

    written = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    group = root()
    for name in group.list_commands(None):
        section = written.partition(f"\n## harness {name}\n")[2].partition("\n## ")[0]
        assert section, name
        options = [p for p in group.get_command(None, name).params if p.param_type_name == "option" and not p.hidden]
        for option in options:
            assert f"`{option.opts[0]}`" in section, (name, option.opts)
            assert option.help, f"{name} {option.opts[0]} says nothing of itself"


def pages_of(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in pages_of(part)]


def test_every_page_is_in_the_navigation_once():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = [str(p.relative_to(DOCS)) for p in DOCS.rglob("*.md") if "decisions" not in p.parts and "runbooks" not in p.parts]
    assert sorted(pages_of(config["nav"])) == sorted(pages)


def test_no_page_links_to_what_is_not_there():
    broken = []
    for page in sorted(DOCS.rglob("*.md")):
        text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
        broken += [f"{page.relative_to(ROOT)}: {link}" for link in links if not (page.parent / link).exists()]
    assert broken == []
