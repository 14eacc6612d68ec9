"""A plan says whose money it would spend, and by whose prices."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.commands.plan import command

REAL = """\
name: real
base_url: http://127.0.0.1:${port}
start: {command: [run], env: {KEY: "${provider.key}"}}
provider: {endpoints: {primary: {upstream: {url: "https://models.test/v1", key: "${env:K}"}}}}
auth: {value: none}
models: {normal: gpt}
budget: {prices: {gpt: {input_usd_per_mtok: 1, output_usd_per_mtok: 2}}}
limits: {spend_usd: 1}
"""


@pytest.mark.parametrize(
    ("upstream", "told"),
    [(True, "of real money; it ends at `limits.spend_usd`"), (False, "of simulated money")],
)
def test_the_last_line_says_whose_money_it_is(tmp_path: Path, upstream: bool, told: str) -> None:
    target = tmp_path / "target.yaml"
    target.write_text(REAL if upstream else REAL.replace('{upstream: {url: "https://models.test/v1", key: "${env:K}"}}', "{}"))
    done = CliRunner().invoke(command, ["steady-load", "--target", str(target)], standalone_mode=False)
    assert done.exception is None
    assert done.output.rstrip().endswith(told)
