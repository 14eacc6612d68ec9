"""Is a release ready? Rules over verdicts, a checklist, attestations, waivers and a history; and who signed for it."""

from harness.readiness.decide import Case, changes_since, decide
from harness.readiness.files import default_checklist_path, read_attestations, read_checklist, read_waivers
from harness.readiness.history import History, read_history
from harness.readiness.runs import RunRules, find_runs, is_run, read_runs

__all__ = ["Case", "History", "RunRules", "changes_since", "decide", "default_checklist_path", "find_runs", "is_run",
           "read_attestations", "read_checklist", "read_history", "read_runs", "read_waivers"]  # fmt: skip
