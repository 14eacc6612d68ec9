"""Prometheus' own judge of rules, `promtool test rules`, asked whether expressions are as expected."""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_ALERT = re.compile(r"^\s*-\s*alert:\s*(\S+)\s*$", re.MULTILINE)
_GROUP = re.compile(r"^\s*-\s*name:\s*(\S+)\s*$", re.MULTILINE)
WITHIN_S = 30.0


class CannotTellError(Exception):
    """Nobody can be asked; the text says why."""


def alerts_in(rules: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the alerts of some rule files."""
    return tuple(name for text in rules.values() for name in _ALERT.findall(text))


def firing(alerts: Sequence[str], rules: Mapping[str, str], series: Mapping[str, str], *, minutes: int) -> list[str]:
    """Return which alerts fire in the last minute of these series, a minute apart. Raises CannotTellError.

    All that are silent are told by one question: where they are not, each half is asked about by itself.
    """
    questions = [f'(count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)) > bool 0' for alert in alerts]
    if not alerts or _agrees(questions, 0, rules, series, minutes=minutes):
        return []
    if len(alerts) > 1:
        half = len(alerts) // 2
        halves = (alerts[:half], alerts[half:])
        return [alert for part in halves for alert in firing(part, rules, series, minutes=minutes)]
    if not _agrees(questions, 1, rules, series, minutes=minutes):
        raise CannotTellError(f"promtool cannot tell whether {alerts[0]} fires")
    return list(alerts)


def all_have_data(queries: Sequence[str], rules: Mapping[str, str], series: Mapping[str, str], *, minutes: int) -> bool:
    """Return whether each query has a number in the last minute of these series. Raises CannotTellError."""
    questions = [f"(count(({query}) > -Inf) or vector(0)) > bool 0" for query in queries]  # NaN is above nothing
    return _agrees(questions, 1, rules, series, minutes=minutes)


def _agrees(
    questions: Sequence[str], expected: int, rules: Mapping[str, str], series: Mapping[str, str], *, minutes: int
) -> bool:
    """Return whether each expression is as expected in the last minute."""
    program = shutil.which("promtool")
    if program is None:
        raise CannotTellError("promtool is not on the PATH; it comes with Prometheus")
    # Names in reverse: what is recorded is there before alerts ask for it.
    names = sorted(rules, reverse=True)
    asked = [
        {"expr": each, "eval_time": f"{max(minutes - 1, 0)}m", "exp_samples": [{"labels": "{}", "value": expected}]}
        for each in questions
    ]
    given = [{"series": name, "values": values} for name, values in series.items()]
    document = {
        "rule_files": [Path(name).name for name in names],
        "evaluation_interval": "1m",
        "group_eval_order": [group for name in names for group in _GROUP.findall(rules[name])],
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": asked}],
    }
    with tempfile.TemporaryDirectory(prefix="harness-rules-") as folder:
        for name in names:
            (Path(folder) / Path(name).name).write_text(rules[name], encoding="utf-8")
        (Path(folder) / "question.yml").write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
        return _runs_well(program, folder)


def _runs_well(program: str, folder: str) -> bool:
    try:
        done = subprocess.run(
            [program, "test", "rules", "question.yml"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotTellError(f"promtool did not end: {error}") from error
    return done.returncode == 0
