"""Every kind of fault has a test that sees its effect from outside, and sees it gone after clearing.

The table names it; the rules below read it: a test is only worth its row while it applies that kind, looks at something
other than the engine's own word while the fault is in force, clears it, and looks once more.
"""

import ast
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from harness.model.fault_kinds import FAULT_KINDS

TESTS = Path(__file__).parents[2]
LINKS, PROVIDER, PROCESSES = "e2e/test_faults_links.py", "truth/test_provider_faults.py", "e2e/test_faults_processes.py"
CONTAINERS, DESCRIBED = "container/test_container_faults.py", "container/test_container_described.py"
DEPENDENCIES, RESOURCES = "e2e/test_faults_dependencies.py", "e2e/test_faults_resources.py"
DEPLOYS, CLOCKS = "e2e/test_faults_deploys.py", "e2e/test_faults_clocks.py"

SEEN = {
    "latency": (LINKS, "test_latency_is_there_on_live_connections_and_gone_after"),
    "bandwidth": (LINKS, "test_a_narrow_link_takes_its_time"),
    "slow_close": (LINKS, "test_the_end_of_a_connection_is_late"),
    "timeout": (LINKS, "test_a_black_hole_takes_old_connections_and_new_ones_and_lets_go_of_the_link"),
    "reset_peer": (LINKS, "test_connections_are_reset_and_then_no_more"),
    "slicer": (LINKS, "test_data_comes_in_pieces"),
    "limit_data": (LINKS, "test_a_connection_ends_after_so_many_bytes"),
    "corrupt": (LINKS, "test_bytes_arrive_changed"),
    "loss": (LINKS, "test_chunks_are_lost"),
    "down": (LINKS, "test_a_link_that_is_down_refuses_cuts_and_comes_back"),
    "ports_exhausted": (LINKS, "test_without_ports_what_is_open_stays_open_and_new_connections_are_refused"),
    "brown_out": (PROVIDER, "test_a_brown_out_slows_only_what_is_above_the_knee"),
    "cut": (PROVIDER, "test_a_cut_stream_ends_without_its_terminator"),
    "duplicate_chunks": (PROVIDER, "test_duplicate_chunks_come_twice_and_are_billed_once"),
    "empty_choices": (PROVIDER, "test_empty_choices_leave_no_content"),
    "error_event": (PROVIDER, "test_an_error_event_ends_a_stream_that_began_with_200"),
    "huge_answer": (PROVIDER, "test_a_huge_answer_minds_no_max_tokens"),
    "inject": (PROVIDER, "test_an_injection_stands_in_the_answer"),
    "leak_pii": (PROVIDER, "test_a_leak_stays_within_max_tokens"),
    "malformed_json": (PROVIDER, "test_malformed_json_is_one_event_of_a_stream_that_goes_on"),
    "missing_done": (PROVIDER, "test_missing_done_leaves_a_stream_otherwise_in_order"),
    "missing_usage": (PROVIDER, "test_missing_usage_hides_the_bill_and_the_meter_still_counts"),
    "outage": (PROVIDER, "test_an_outage_hangs_up_before_any_byte_on_one_endpoint_alone"),
    "overload": (PROVIDER, "test_overload_serves_some_queues_some_and_refuses_the_rest"),
    "rate_limit": (PROVIDER, "test_a_rate_limit_serves_so_many_in_a_window_and_says_when_the_next_begins"),
    "refuse_content": (PROVIDER, "test_a_refusal_has_the_shape_that_was_asked_for"),
    "slow_first_token": (PROVIDER, "test_slow_first_token_comes_long_after_the_headers"),
    "slow_headers": (PROVIDER, "test_slow_headers_come_late_and_whole"),
    "stall": (PROVIDER, "test_a_stalled_stream_waits_for_the_fault_to_be_removed"),
    "status": (PROVIDER, "test_status_refuses_with_the_retry_after_that_was_asked_for"),
    "usage_above": (PROVIDER, "test_usage_above_bills_more_than_was_reserved"),
    "wrong_content_type": (PROVIDER, "test_wrong_content_type_is_what_the_header_says"),
    "wrong_model": (PROVIDER, "test_wrong_model_signs_with_another_name"),
    "wrong_usage": (PROVIDER, "test_wrong_usage_shows_another_bill_than_the_meter"),
    "kill": (PROCESSES, "test_a_killed_process_is_gone_and_started_again_at_the_clearing"),
    "terminate": (PROCESSES, "test_a_terminated_process_ends_and_is_started_again"),
    "freeze": (PROCESSES, "test_a_frozen_process_is_silent_and_goes_on_when_it_is_thawed"),
    "restart": (PROCESSES, "test_a_restart_is_over_at_once"),
    "crash_loop": (RESOURCES, "test_a_crash_loop_kills_again_and_again_and_leaves_the_process_up"),
    "cpu_limit": (CONTAINERS, "test_a_container_short_of_cpu_gets_its_share_and_no_more"),
    "memory_limit": (CONTAINERS, "test_a_container_short_of_memory_cannot_grow"),
    "disconnect": (CONTAINERS, "test_a_container_without_its_network_reaches_nobody"),
    "no_names": (DESCRIBED, "test_names_do_not_resolve_in_a_container_and_do_again"),
    "read_only": (DEPENDENCIES, "test_a_read_only_store_serves_reads_and_refuses_writes"),
    "out_of_memory": (DEPENDENCIES, "test_a_store_without_memory_refuses_what_grows_it"),
    "flush": (DEPENDENCIES, "test_a_flushed_store_has_forgotten_everything"),
    "failover": (DEPENDENCIES, "test_a_store_in_a_failover_cuts_its_clients_and_serves_nothing_and_keeps_its_data"),
    "connections_exhausted": (DEPENDENCIES, "test_a_database_without_connections_refuses_new_ones_and_cuts_old_ones"),
    "lock": (DEPENDENCIES, "test_a_lock_that_is_held_keeps_others_waiting"),
    "slow_disk": (DEPENDENCIES, "test_a_database_on_a_slow_disk_lets_writers_wait_and_readers_not"),
    "rolling_restart": (DEPLOYS, "test_a_rolling_restart_replaces_every_instance_and_loses_no_request"),
    "blue_green": (DEPLOYS, "test_a_switch_to_another_version_and_back_loses_no_request"),
    "canary": (DEPLOYS, "test_a_bad_canary_is_met_by_its_share_of_the_requests_only"),
    "starve": (RESOURCES, "test_a_starved_process_takes_much_longer_for_its_work"),
    "file_descriptors": (RESOURCES, "test_a_process_without_descriptors_accepts_nobody_until_it_has_some_again"),
    "memory_ceiling": (RESOURCES, "test_a_process_without_memory_is_refused_more_and_lives_on"),
    "cpu_burn": (RESOURCES, "test_a_burnt_processor_is_busy_until_it_is_cleared"),
    "memory_fill": (RESOURCES, "test_memory_that_is_taken_is_really_taken_and_given_back"),
    "disk_full": (RESOURCES, "test_a_disk_made_for_it_is_full_for_others_and_has_room_again"),
    "clock_skew": (CLOCKS, "test_an_instance_whose_clock_is_ahead_takes_what_is_cached_for_too_old"),
    "command": (RESOURCES, "test_a_fault_of_the_users_own_is_applied_confirmed_cleared_and_proved_clear"),
}

OTHER_WAYS = {
    "read_only of a database": ("read_only", DEPENDENCIES, "test_a_read_only_database_serves_reads_and_refuses_writes"),
    "clock_skew of a database": ("clock_skew", CLOCKS, "test_a_database_in_tomorrow_begins_budgets_anew_and_lets_keys_expire"),
    "freeze of a container": ("freeze", CONTAINERS, "test_a_container_that_was_frozen_or_ended_is_silent_and_answers_again"),
    "kill of a container": ("kill", CONTAINERS, "test_a_container_that_was_frozen_or_ended_is_silent_and_answers_again"),
    "terminate of a container": (
        "terminate",
        CONTAINERS,
        "test_a_container_that_was_frozen_or_ended_is_silent_and_answers_again",
    ),
    "restart of a container": ("restart", CONTAINERS, "test_a_restarted_container_runs_another_process_at_once"),
}
"""Kinds that are broken by other means at another place."""

ROWS = {**{kind: (kind, *row) for kind, row in SEEN.items()}, **OTHER_WAYS}

APPLIES = {"apply", "set_fault"}
CLEARS = {"clear", "clear_faults", "assert_gone"}
LOOKS_TOO = {"assert_gone", "assert_healthy"}
"""Functions of the tests that look by themselves: their bodies hold the assertions."""
OWN_WORD = {"journal", "injector", "provider.acted", "json", "any", "isinstance", "len", "data", "Event"}
"""What the engine says of itself: an assertion about nothing else sees no effect."""


def test_every_kind_of_fault_has_its_row():
    assert set(SEEN) == set(FAULT_KINDS), "name the test that sees the effect of the kind from outside, and sees it gone"


@pytest.mark.parametrize("name", ROWS)
def test_the_named_test_sees_the_effect_and_sees_it_gone(name):
    kind, file, test = ROWS[name]
    body = body_of(TESTS / file, test)
    assert kind in kinds_in(TESTS / file, body)
    assert missing(body) == ""


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        ("injector.apply(fault('loss'))\nassert dark() == 'silent'\ninjector.clear('f')\nassert dark() == 'open'", ""),
        ("injector.apply(fault('loss'))\nassert dark() == 'silent'\ninjector.clear('f')", "a look after the clearing"),
        ("injector.apply(fault('loss'))\ninjector.clear('f')\nassert dark() == 'open'", "a look while it is in force"),
        (
            "injector.apply(fault('loss'))\nassert dark()\ninjector.clear('f')\nassert journal.acted() == 1",
            "a look after the clearing",
        ),
        (
            "injector.apply(fault('loss'))\nassert injector.active()\ninjector.clear('f')\nassert dark()",
            "a look while it is in force",
        ),
        (
            "injector.apply(fault('loss'))\nassert dark()\ninjector.clear('f')\ninjector.apply(g)\nassert dark()",
            "a look after the clearing",
        ),
        ("assert dark()\ninjector.clear('loss')\nassert dark()", "an application"),
        ("injector.apply(fault('loss'))\nassert dark()\nassert dark()", "a clearing"),
        ("provider.set_fault('loss')\nassert ask()\nassert_gone(provider, 'loss', 1)", ""),
        ("injector.apply(fault('loss'))\nwith pytest.raises(Gone):\n    ask()\ninjector.clear('f')\nassert ask()", ""),
    ],
)
def test_the_rules_find_what_a_test_lacks(source, lacks):
    assert missing(ast.parse(source).body) == lacks


def missing(body: Sequence[ast.stmt]) -> str:
    """Return what a test's body lacks for its row, or nothing."""
    acts = list(steps(body))
    if "apply" not in acts:
        return "an application"
    rest = acts[acts.index("apply") :]
    if "clear" not in rest:
        return "a clearing"
    cleared = rest.index("clear")
    if "look" not in rest[:cleared]:
        return "a look while it is in force"
    after = rest[cleared:]
    until = after.index("apply") if "apply" in after else len(after)
    return "" if "look" in after[:until] else "a look after the clearing"


def steps(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield `apply`, `look` and `clear` in the order of the lines."""
    found: list[tuple[int, int, str]] = []
    for node in (node for each in body for node in ast.walk(each)):
        if isinstance(node, ast.Call) and (name := called(node)) in APPLIES | CLEARS | LOOKS_TOO:
            if name in APPLIES | CLEARS:
                found.append((node.lineno, node.col_offset, "apply" if name in APPLIES else "clear"))
            if name in LOOKS_TOO:
                found.append((node.lineno, node.col_offset + 1, "look"))
        elif (isinstance(node, ast.Assert) and not own_word(node.test)) or (isinstance(node, ast.With) and raises(node)):
            found.append((node.lineno, node.col_offset, "look"))
    return (step for _, _, step in sorted(found))


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def own_word(test: ast.expr) -> bool:
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    return names <= OWN_WORD


def raises(node: ast.With) -> bool:
    return any(isinstance(item.context_expr, ast.Call) and called(item.context_expr) == "raises" for item in node.items)


@cache
def named_in(path: Path) -> dict[str, ast.FunctionDef | str]:
    """Return the functions of a file, and the programs that it holds as text."""
    found: dict[str, ast.FunctionDef | str] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found |= {target.id: node.value.value for target in node.targets if isinstance(target, ast.Name)}
    return found


def body_of(path: Path, test: str) -> Sequence[ast.stmt]:
    """Return a test's statements: those that it is parametrized with, and those of a program that it runs, first."""
    named = named_in(path)
    node = named.get(test)
    assert isinstance(node, ast.FunctionDef), f"{path.relative_to(TESTS)} has no {test}"
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    programs = [text for name, text in named.items() if name in used and isinstance(text, str) and "FaultInjector" in text]
    return [*ast.parse("\n".join(programs)).body, *(ast.Expr(each) for each in node.decorator_list), *node.body]


def kinds_in(path: Path, body: Sequence[ast.stmt]) -> set[object]:
    """Return the constants of a test, and of the functions of its file that make its fault."""
    named = named_in(path)
    nodes = [node for each in body for node in ast.walk(each)]
    makers = [named[node.id] for node in nodes if isinstance(node, ast.Name) and node.id in named]
    nodes += [node for each in makers if isinstance(each, ast.FunctionDef) for node in ast.walk(each)]
    return {node.value for node in nodes if isinstance(node, ast.Constant)}
