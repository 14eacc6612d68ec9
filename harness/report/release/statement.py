"""The in-toto test-result attestation of a release, to be put into a signed envelope.

Source: https://github.com/in-toto/attestation, spec/predicates/test-result.md, v0.1. It knows PASSED, WARNED and FAILED
only: a release that is not proven is FAILED here, and the annotation says which of the two it is.
"""

import hashlib
import json
import re
from collections.abc import Mapping

from harness.model.readiness import Decision, Readiness, RowStatus
from harness.report.release.material import ReleaseMaterial
from harness.report.visible import visible

PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def render_statement(material: ReleaseMaterial, files: Mapping[str, bytes]) -> bytes:
    """Return the statement. files: the other forms, by name.

    Its subjects are `readiness.json` first, the other forms, then what was tested where that is a commit.
    """
    readiness = material.readiness
    subjects: list[dict[str, object]] = [
        {"name": "readiness.json", "digest": {"sha256": hashlib.sha256(material.document).hexdigest()}}
    ]
    subjects += [
        {"name": name, "digest": {"sha256": hashlib.sha256(data).hexdigest()}}
        for name, data in files.items()
        if name != "readiness.json"
    ]
    version = readiness.target_version or ""
    if _COMMIT.fullmatch(version):
        subjects.append({"name": visible(readiness.target or "target"), "digest": {"gitCommit": version}})
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _result(readiness),
            "configuration": [
                {"name": visible(f"{each.kind}/{each.name}"), "digest": {"sha256": each.sha256}} for each in readiness.inputs
            ],
            "passedTests": _rows(readiness, RowStatus.VERIFIED),
            "warnedTests": _rows(readiness, RowStatus.ATTESTED, RowStatus.WAIVED),
            "failedTests": _rows(readiness, RowStatus.FAILED, RowStatus.NOT_PROVEN, RowStatus.NOT_COVERED),
            "annotations": {
                "release": visible(readiness.release),
                "target": visible(f"{readiness.target or 'unknown'} {version}".strip()),
                "decision": readiness.decision.value,
                "reason": visible(readiness.reasons[0], longest=2000),
                "created": readiness.created_at,
            },
        },
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _result(readiness: Readiness) -> str:
    if readiness.decision is not Decision.READY:
        return "FAILED"
    return "WARNED" if _rows(readiness, RowStatus.ATTESTED, RowStatus.WAIVED) else "PASSED"


def _rows(readiness: Readiness, *statuses: RowStatus) -> list[str]:
    return [visible(row.id) for row in readiness.rows if row.status in statuses]
