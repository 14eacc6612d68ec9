"""From numbers to judgements, and from judgements to a verdict; from the run directory alone."""

from harness.judge.verdict import judge, judge_and_write

__all__ = ["judge", "judge_and_write"]
