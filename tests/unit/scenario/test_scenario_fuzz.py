"""Scenarios that somebody mistyped, cut or filled with nonsense: a plan, or an error for a person; never a traceback."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from harness.checks import PLANNERS
from harness.errors import ConfigurationError
from harness.scenario import compile_plan, read_scenario
from harness.target.embedded.target import EmbeddedTarget

CATALOGUE = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))
WRONG = (
    None, True, -1, 0, 1e308, float("nan"), float("inf"), "", "p95 < 5s", "never (", "< 5%", "99999h", "{n}", "é" * 300,
    [], {}, [[]], {"a": {}}, 2**70, "2026-01-01", "on", "steady",
)  # fmt: skip


def somewhere(document: object, dice: random.Random) -> tuple[dict | list, object]:
    """Return a place in a document: what holds it, and its key there."""
    here, place = document, None
    while isinstance(here, dict | list) and here:
        key = dice.choice(list(here)) if isinstance(here, dict) else dice.randrange(len(here))
        place = (here, key)
        if not isinstance(here[key], dict | list) or dice.random() < 0.3:
            break
        here = here[key]
    assert place is not None
    return place


def retyped(text: str, dice: random.Random) -> str:
    document = yaml.safe_load(text)
    for _ in range(dice.randrange(1, 4)):
        holder, key = somewhere(document, dice)
        holder[key] = dice.choice(WRONG)
    return yaml.safe_dump(document, allow_unicode=True)


def without(text: str, dice: random.Random) -> str:
    document = yaml.safe_load(text)
    holder, key = somewhere(document, dice)
    del holder[key]
    return yaml.safe_dump(document)


def crossed(text: str, dice: random.Random) -> str:
    """Put one part of the document where another was."""
    document = yaml.safe_load(text)
    (one, here), (other, there) = somewhere(document, dice), somewhere(document, dice)
    part = yaml.safe_load(yaml.safe_dump(one[here]))
    other[there] = part
    return yaml.safe_dump(document)


def misspelt(text: str, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(4):
        letters[dice.randrange(len(letters))] = dice.choice("abz:{}[]-#&*!|>'\"%@`,\n\t 09\x00é")
    return "".join(letters)


def cut(text: str, dice: random.Random) -> str:
    return text[: dice.randrange(len(text))]


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (retyped, retyped, retyped, without, crossed, misspelt, misspelt, cut)


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda path: path.stem)
def test_a_scenario_that_makes_no_sense_is_an_error_that_says_where(path: Path, tmp_path: Path) -> None:
    dice, text, offer = random.Random(f"fuzz/{path.stem}"), path.read_text("utf-8"), EmbeddedTarget().offer()
    told: list[str] = []
    for number, change in enumerate(CHANGES):
        broken = tmp_path / f"{number}.yaml"
        broken.write_text(change(text, dice), "utf-8")
        try:
            compile_plan(read_scenario(broken), offer, run_id="r", seed=1, planners=PLANNERS)
        except ConfigurationError as error:
            told.append(str(error))
    assert told, "nothing was broken"
    assert all(f"{tmp_path}/" in problem for problem in told), told


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xff\xfe", b"a: &a [*a]", b"- 1\n- 2", b"!!python/object:os.system {}", b"{" * 5000]
)
def test_what_is_no_scenario_at_all_is_an_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError):
        read_scenario(path)
