"""From a YAML file to a frozen plan; every error names file, line, what is allowed and what may have been meant."""

from harness.scenario.catalogue import catalogue_paths, find_scenario
from harness.scenario.compile import compile_plan
from harness.scenario.read import ScenarioFile, read_scenario

__all__ = ["ScenarioFile", "catalogue_paths", "compile_plan", "find_scenario", "read_scenario"]
