"""Plug-in files and scenarios that use them, as people write them."""

from pathlib import Path

FAULT = """
from harness.extensions import FaultExtension, Parameter
from pathlib import Path

Path(__file__).with_name("it-ran").write_text("ran")

class Backend:
    def __init__(self, landscape):
        pass

MOST = 100
DRIZZLE = FaultExtension(
    kind="drizzle", title="It drips", places=("plugins.roof", "links.*"), backend=Backend,
    parameters=(Parameter(name="drops", type=int, doc="how many a second", low=1, high=MOST, default=5),),
)
"""

CHECK = """
from harness.extensions import CheckExtension
from harness.model.check import CheckSteps
from harness.model.probe import Probe

def plan(check, phase):
    return CheckSteps(probes=(Probe(check_id=check.id, name="asked", at_ns=phase.start_ns, method="GET", path="/live", chat=False),))

def judge(reading, check):
    from harness.checks.evidence import judgement
    from harness.model.judgement import Status
    return judgement(check, Status.PASS, "dry as a bone")

DRY = CheckExtension(name="roof is dry", title="Nothing drips through", plan=plan, judge=judge)
"""

OBJECTIVE = """
from harness.extensions import Counted, Figure, ObjectiveExtension

def share(reading):
    return Counted(whole=reading.requests.answered, hits=reading.requests.streamed)

def figure(reading):
    return Figure(value=42.0, of=7, says="42 drops fell")

WET = ObjectiveExtension(name="wet answers", title="were wet", share=share)
DROPS = ObjectiveExtension(name="drops", title="drops that fell", figure=figure)
"""

SCENARIO = """
name: rain
title: It rains
plugins: [{plugins}]
load: {{arrivals: {{process: constant, rate: 20/s}}, mix: {{faq: 100%}}, stream: 50%}}
phases:
  - {{name: steady, kind: steady, for: 10s}}
  - {{name: outage, kind: fault, for: 10s, faults: [{fault}]}}
  - {{name: recovery, kind: recovery, for: 10s}}
objectives:
  - {{error rate: "< 20%"}}
  - {objective}
checks: [{check}]
"""


def write(
    directory: Path,
    *,
    plugins: str = "./ours.py",
    source: str | None = FAULT + CHECK + OBJECTIVE,
    fault: str = "{at: plugins.roof, kind: drizzle, drops: 7}",
    objective: str = "{measure: wet answers, at_most: 60%}",
    check: str = "{check: roof is dry, during: steady}",
) -> Path:
    """Write a scenario and its plug-in; return the scenario."""
    if source is not None:
        (directory / "ours.py").write_text(source, encoding="utf-8")
    path = directory / "rain.yaml"
    path.write_text(SCENARIO.format(plugins=plugins, fault=fault, objective=objective, check=check), encoding="utf-8")
    return path


def ran(directory: Path) -> bool:
    return (directory / "it-ran").exists()
