"""What the page on a gateway of one's own tells people to type is what they can type, with the description that it gives."""

import re
import shlex
from pathlib import Path

import pytest

from harness.cli.main import main

PAGE = (Path(__file__).parents[3] / "docs/how-to/your-own-gateway.md").read_text(encoding="utf-8")
DESCRIPTION = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
COMMANDS = [
    shlex.split(command)[2:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for command in block.replace("\\\n", " ").splitlines()
    if command.startswith("harness run ")
]


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GATEWAY_KEY", "any")
    Path("my-gateway").mkdir()
    Path("my-gateway/target.yaml").write_text(DESCRIPTION, encoding="utf-8")


@pytest.mark.usefixtures("described")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_run_of_the_page_can_be_planned(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", *words])
    assert ended.value.code == 0


@pytest.mark.usefixtures("described")
def test_what_is_refused_is_told_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["plan", "provider-outage", "--target", "my-gateway/target.yaml"])
    told = next(line for line in PAGE.splitlines() if line.startswith("`provider-outage.yaml:"))
    assert ended.value.code == 2
    assert told[1:].rstrip("`.") in capsys.readouterr().err
