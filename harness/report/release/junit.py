"""JUnit XML of a release: one test case for each row of the checklist, one more for whatever else stops it.

failed is a failure; not proven and not covered are errors of that type; only not applicable is skipped.
"""

import xml.etree.ElementTree as ET

from harness.model.readiness import Decision, RowResult, RowStatus
from harness.report.release.looks import attempts_text
from harness.report.release.material import ReleaseMaterial
from harness.report.visible import visible
from harness.report.wording import found


def render_junit(material: ReleaseMaterial) -> bytes:
    """Return the document, UTF-8 with an XML declaration. It is never all green unless the release is ready."""
    readiness = material.readiness
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name=visible(f"readiness {readiness.release}"), timestamp=readiness.created_at)
    properties = ET.SubElement(suite, "properties")
    for name, value in (("decision", readiness.decision.value), ("target", readiness.target or ""),
                        ("target_version", readiness.target_version or ""), ("checklist", readiness.checklist)):  # fmt: skip
        ET.SubElement(properties, "property", name=name, value=visible(value))
    for row in readiness.rows:
        _row(suite, row)
    decision = ET.SubElement(suite, "testcase", classname="readiness", name="decision")
    if readiness.decision is not Decision.READY:
        tag, type_ = ("failure", "fail") if readiness.decision is Decision.NOT_READY else ("error", "not proven")
        ET.SubElement(
            decision, tag, type=type_, message=visible(f"{readiness.decision.value}: {readiness.reasons[0]}")
        ).text = "\n".join(visible(reason) for reason in readiness.reasons)
    for element in (suites, suite):
        element.set("tests", str(len(suite.findall("testcase"))))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    ET.indent(suites, " ")
    return bytes(ET.tostring(suites, encoding="utf-8", xml_declaration=True))


def _row(suite: ET.Element, row: RowResult) -> None:
    case = ET.SubElement(suite, "testcase", classname=visible(row.area or "checklist"), name=visible(f"{row.id} {row.title}"))
    lines = [f"{'required' if row.required else 'not required'}, {attempts_text(row.attempts)}"]
    for item in row.evidence:
        where = f" in {item.judgement.phase}" if item.judgement.phase else ""
        lines.append(f"{item.ref}{where} of {item.run_id}: {item.judgement.status.value}; {'; '.join(found(item.judgement))}")
    text = "\n".join(visible(line) for line in lines)
    message = visible(row.reason)
    if row.status is RowStatus.FAILED:
        ET.SubElement(case, "failure", type="fail", message=message).text = text
    elif row.status in (RowStatus.NOT_PROVEN, RowStatus.NOT_COVERED) and row.required:
        ET.SubElement(case, "error", type=row.status.value, message=message).text = text
    elif row.status is RowStatus.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", message=message)
    else:
        ET.SubElement(case, "system-out").text = f"{row.status.value}: {message}\n{text}"
