"""`find_limit` of a scenario on the command line: one run a rate, and what they say together."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from harness.errors import ConfigurationError
from harness.run.limit import Limit, find_limit
from harness.run.session import RunRequest, RunResult, write_run_index
from harness.rundir import codec
from harness.rundir.files import write_whole
from harness.scenario import ScenarioFile, find_scenario, read_scenario
from harness.scenario.document import FindLimitDocument


def limit_asked(files: Sequence[ScenarioFile]) -> FindLimitDocument | None:
    """Return what a scenario says of finding its limit. Raises ConfigurationError where it is not run alone."""
    asked = [file for file in files if file.document.find_limit is not None]
    if asked and len(files) > 1:
        raise ConfigurationError(f"{asked[0].path}: a scenario with `find_limit` is run alone: it is several runs by itself")
    if not asked:
        return None
    spec = asked[0].document.find_limit
    assert spec is not None
    if spec.to <= spec.from_:
        raise ConfigurationError(f"{asked[0].located.at(('find_limit', 'to'))}: `to` is not above `from`")
    if asked[0].document.load.arrivals.rate is None:
        raise ConfigurationError(f"{asked[0].located.at(('find_limit',))}: `load.arrivals` has no `rate` that could be raised")
    return spec


def run_limit(
    name: str,
    overrides: Sequence[str],
    spec: FindLimitDocument,
    parent: Path,
    *,
    request_of: Callable[[ScenarioFile, Path], RunRequest],
    execute: Callable[[RunRequest], RunResult],
) -> tuple[list[RunResult], Limit]:
    """Run a scenario at rising rates below `parent`; write `limit.json` and `run.json` there.

    Raises HarnessError where a run could not be done.
    """
    results: list[RunResult] = []

    def run_at(rate_rps: float) -> str:
        scenario = read_scenario(find_scenario(name), (*overrides, f"load.arrivals.rate={rate_rps:g}/s"))
        click.echo(f"\nfind limit: {rate_rps:g}/s", err=True)
        result = execute(request_of(scenario, parent / f"{len(results) + 1:02d}-{rate_rps:g}rps"))
        results.append(result)
        if result.trouble is not None:
            raise result.trouble
        assert result.verdict is not None
        return result.verdict.verdict.value

    found = find_limit(run_at, from_rps=spec.from_, to_rps=spec.to, within=spec.within)
    write_run_index(parent, results)
    document = {"schema": "harness.limit/1", "sentence": found.sentence(), **dataclasses.asdict(found)}
    write_whole(parent / "limit.json", codec.to_pretty_json(document))
    return results, found
