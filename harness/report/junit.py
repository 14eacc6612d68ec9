"""JUnit XML: one test case for each result, so that a pipeline shows each objective by name.

fail is a failure; inconclusive and invalid are errors of that type; only not applicable is skipped. A verdict that no
result carries (nothing judged, an invalid run) gets a case of its own: an empty suite would look green.
"""

import xml.etree.ElementTree as ET

from harness.model.judgement import Judgement, Status, Verdict
from harness.report.material import Material
from harness.report.visible import visible
from harness.report.wording import LOOKS, asked, found

_ERRORS = frozenset({Status.INCONCLUSIVE, Status.INVALID})


def render_junit(material: Material) -> bytes:
    """Return the document, UTF-8 with an XML declaration, free of characters that XML does not allow."""
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite")
    verdict = material.verdict
    if verdict is None:
        suite.set("name", "harness")
        _error(_case(suite, "harness", "verdict"), "missing", "the run was not judged", "\n".join(material.missing))
    else:
        _fill(suite, verdict)
    for element in (suites, suite):
        element.set("tests", str(len(suite.findall("testcase"))))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    ET.indent(suites, " ")
    return bytes(ET.tostring(suites, encoding="utf-8", xml_declaration=True))


def _fill(suite: ET.Element, verdict: Verdict) -> None:
    suite.set("name", visible(verdict.scenario.name))
    suite.set("timestamp", visible(verdict.started_at))
    suite.set("time", f"{verdict.duration_s:.3f}")
    properties = ET.SubElement(suite, "properties")
    facts = {
        "run_id": verdict.run_id,
        "verdict": str(verdict.verdict),
        "reason": verdict.reason,
        "seed": str(verdict.seed),
        "plan_digest": verdict.plan_digest,
        "harness_version": verdict.harness_version,
        "spend_usd": f"{verdict.spend_usd:.6f}",
        **{f"label.{name}": value for name, value in verdict.labels.items()},
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=visible(name), value=visible(value))
    for judgement in verdict.results:
        _result(suite, verdict, judgement)
    carried = suite.find("testcase/failure") is not None or suite.find("testcase/error") is not None
    if not carried and verdict.verdict not in (Status.PASS, Status.WARN):
        case = _case(suite, visible(verdict.scenario.name), "verdict")
        if verdict.verdict is Status.FAIL:
            ET.SubElement(case, "failure", type="fail", message=visible(verdict.reason))
        else:
            _error(case, str(verdict.verdict), verdict.reason, "")


def _result(suite: ET.Element, verdict: Verdict, judgement: Judgement) -> None:
    name = f"{judgement.id} [{judgement.phase}]" if judgement.phase else judgement.id
    case = _case(suite, verdict.scenario.name, name)
    if judgement.covers:
        properties = ET.SubElement(case, "properties")
        ET.SubElement(properties, "property", name="covers", value=visible(", ".join(judgement.covers)))
    lines = [f"asked: {asked(judgement)}", *(f"found: {line}" for line in found(judgement))]
    lines += [f"evidence: {evidence.kind} {evidence.ref}" for evidence in judgement.evidence]
    text = "\n".join(visible(line) for line in lines)
    if judgement.status is Status.FAIL:
        ET.SubElement(case, "failure", type="fail", message=visible(judgement.reason)).text = text
    elif judgement.status in _ERRORS:
        _error(case, str(judgement.status), judgement.reason, text)
    elif judgement.status is Status.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", message=visible(judgement.reason))
    else:
        ET.SubElement(case, "system-out").text = f"{LOOKS[judgement.status].word}: {visible(judgement.reason)}\n{text}"


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=visible(classname), name=visible(name))


def _error(case: ET.Element, type_: str, message: str, text: str) -> None:
    ET.SubElement(case, "error", type=type_, message=visible(message)).text = text
