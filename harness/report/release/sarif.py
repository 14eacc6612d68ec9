"""SARIF 2.1.0 of a release: each row of the checklist is a rule with one result, at its line in the checklist.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/, 3.27.9 (kind) and 3.27.10 (level: `none` unless the kind is fail).
"""

import json

from harness.model.readiness import RowResult, RowStatus
from harness.report.release.looks import attempts_text
from harness.report.release.material import ReleaseMaterial
from harness.report.visible import visible

_KINDS = {
    RowStatus.VERIFIED: "pass",
    RowStatus.FAILED: "fail",
    RowStatus.NOT_PROVEN: "open",
    RowStatus.NOT_COVERED: "open",
    RowStatus.WAIVED: "review",
    RowStatus.ATTESTED: "review",
    RowStatus.NOT_APPLICABLE: "notApplicable",
}


def render_sarif(material: ReleaseMaterial) -> bytes:
    """Return the log, with one run of our own tool."""
    readiness = material.readiness
    uri = next((each.name for each in readiness.inputs if each.kind == "checklist"), "checklist")
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "harness",
                        "version": readiness.harness_version,
                        "semanticVersion": readiness.harness_version,
                        "rules": [_rule(row) for row in readiness.rows],
                    }
                },
                "results": [_result(row, number, uri) for number, row in enumerate(readiness.rows)],
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "exitCode": readiness.exit_code,
                        "exitCodeDescription": readiness.decision.value,
                        "toolExecutionNotifications": [
                            {
                                "level": "error" if problem.blocks else "note",
                                "message": {"text": visible(problem.text, longest=2000)},
                            }
                            for problem in readiness.problems
                        ],
                    }
                ],
                "properties": {"release": visible(readiness.release), "decision": readiness.decision.value},
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _rule(row: RowResult) -> dict[str, object]:
    title = visible(row.title)
    return {
        "id": visible(row.id),
        "shortDescription": {"text": title},
        "properties": {"area": visible(row.area), "required": row.required},
    }


def _result(row: RowResult, number: int, uri: str) -> dict[str, object]:
    kind = _KINDS[row.status]
    text = f"{row.id} is {row.status.value} ({attempts_text(row.attempts)}): {row.reason}"
    return {
        "ruleId": visible(row.id),
        "ruleIndex": number,
        "kind": kind,
        "level": "error" if kind == "fail" else "none",
        "message": {"text": visible(text, longest=2000)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": visible(uri)}, "region": {"startLine": max(row.line, 1)}}}
        ],
    }
