"""A plan says of how many requests each result will be, counted as the judge counts them."""

from pathlib import Path

from click.testing import CliRunner

from harness.cli.commands.plan import command

SCENARIO = """\
name: late
title: A fault that comes late
load: {arrivals: {process: constant, rate: 20/s}, mix: {faq: 40%, knowledge: 60%}, stream: 50%}
phases:
  - {name: steady, kind: steady, for: 30s}
  - {name: broken, kind: fault, for: 20s, faults: [{at: links.redis, kind: down, from: 8s}]}
  - {name: recovery, kind: recovery, for: 30s}
objectives:
  - {error rate: "< 5%"}
  - {time to first token: "p90 < 5s", during: broken, classes: [faq]}
  - {recovered within: 10s, after: broken}
"""


def test_the_requests_of_each_phase_are_those_that_it_will_judge(tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(SCENARIO)
    done = CliRunner().invoke(command, [str(file)], standalone_mode=False)
    assert done.exception is None, done.exception
    lines = [line.strip() for line in done.output.splitlines()]
    assert "steady: about 600 planned" in lines
    assert "broken: about 240 planned, in the 12 s for which its faults are on" in lines
    assert "recovery: about 600 planned, 400 where the recovery takes the 10 s that it may" in lines
    assert "broken: about 48 planned, in the 12 s for which its faults are on" in lines  # two fifths of them, half streamed
