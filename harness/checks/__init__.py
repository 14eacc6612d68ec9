"""Behaviour checks by name: how each is put on the timeline, and how it is judged.

Planning imports nothing but nouns; a judge is loaded when it is called.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.checks import (
    alert_routing,
    alerts,
    answer_privacy,
    audit_kept,
    audit_log,
    authentication,
    backup,
    balancer,
    breaker,
    budget_cap,
    cache,
    cache_age,
    cache_expiry,
    canary_release,
    connect_limit,
    connection_limit,
    dashboards,
    drain,
    fails_closed,
    feature_flags,
    global_limit,
    guard_bypass,
    health,
    idle_connections,
    input_validation,
    kept_keys,
    key_ages,
    key_rotation,
    known_keys,
    log_fields,
    messages_once,
    metric_names,
    model_choice,
    personal_data,
    polite_answers,
    quality,
    rate_limit,
    rate_refusals,
    rate_window,
    reservation_leak,
    retrieval,
    retry_after,
    retry_amplification,
    retry_backoff,
    secret_scan,
    server_counts,
    shared_answers,
    slow_client,
    standby,
    stream_flow,
    time_limits,
    without_search,
    workflows,
)
from harness.model.check import CheckPlanner
from harness.model.judgement import Judgement
from harness.model.plan import PlannedCheck

if TYPE_CHECKING:
    from harness.measure import Reading

CheckJudge = Callable[["Reading", PlannedCheck], Judgement]

_ALL = (
    alert_routing,
    alerts,
    answer_privacy,
    audit_kept,
    audit_log,
    authentication,
    backup,
    balancer,
    breaker,
    budget_cap,
    cache,
    cache_age,
    cache_expiry,
    canary_release,
    connect_limit,
    connection_limit,
    dashboards,
    drain,
    fails_closed,
    feature_flags,
    global_limit,
    guard_bypass,
    health,
    idle_connections,
    input_validation,
    kept_keys,
    key_ages,
    key_rotation,
    known_keys,
    log_fields,
    messages_once,
    metric_names,
    model_choice,
    personal_data,
    polite_answers,
    quality,
    rate_limit,
    rate_refusals,
    rate_window,
    reservation_leak,
    retrieval,
    retry_after,
    retry_amplification,
    retry_backoff,
    secret_scan,
    server_counts,
    shared_answers,
    slow_client,
    standby,
    stream_flow,
    time_limits,
    without_search,
    workflows,
)

CHECKS: Mapping[str, tuple[CheckPlanner, CheckJudge]] = {each.PLANNER.name: (each.PLANNER, each.judge) for each in _ALL}

PLANNERS: Mapping[str, CheckPlanner] = {name: planner for name, (planner, _) in CHECKS.items()}

__all__ = ["CHECKS", "PLANNERS", "CheckJudge"]
