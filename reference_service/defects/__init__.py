"""Planted defects by name: what a check must catch. Nothing here is imported by a healthy service but this table."""

from dataclasses import Field, fields, replace
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from reference_service.errors import SettingsError


class Parts(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Parts)


class Defect(NamedTuple):
    """What is wrong, which row of the readiness list it breaks, and the file that breaks it."""

    title: str
    row: str
    file: str


DEFECTS: dict[str, Defect] = {
    "audit-lost-with-the-database": Defect(
        "What is refused while the database is slow never reaches the audit log", "S7", "audit_lost_with_the_database.py"
    ),
    "audit-skips-refusals": Defect(
        "The audit log knows what was done, and not what was refused", "S7", "audit_skips_refusals.py"
    ),
    "audit-without-who": Defect("The audit log says what was refused, and to nobody", "S7", "audit_without_who.py"),
    "auth-everybody-is-admin": Defect("Any key may do what only an administrator's may", "S5", "auth_everybody_is_admin.py"),
    "auth-expired-keys-accepted": Defect("A key goes on after the end of its overlap", "S2", "auth_expired_keys_accepted.py"),
    "auth-fault-is-401": Defect("With PostgreSQL down, users are told that their keys are wrong", "S5", "auth_fault_is_401.py"),
    "auth-key-by-prefix": Defect("A key is recognised by its first sixteen characters", "S5", "auth_key_by_prefix.py"),
    "auth-revoked-keys-accepted": Defect("A revoked key is still good", "S5", "auth_revoked_keys_accepted.py"),
    "auth-rotation-without-overlap": Defect(
        "A key that was rotated is refused at once, not after its overlap", "S2", "auth_rotation_without_overlap.py"
    ),
    "backup-environment-in-clear": Defect(
        "A backup holds the service's secrets in clear", "P5", "backup_environment_in_clear.py"
    ),
    "backup-kept-for-ever": Defect(
        "A backup outlives its 30 days, and what a user had deleted lives on in it", "P5", "backup_kept_for_ever.py"
    ),
    "backup-restores-nothing": Defect("A backup holds the tables and none of their rows", "P5", "backup_restores_nothing.py"),
    "balancer-repeats-posts": Defect(
        "A request whose instance died is sent to the next one, and paid twice", "R2", "balancer_repeats_posts.py"
    ),
    "balancer-untyped-503": Defect("With no instance ready the balancer answers an empty page", "F3", "balancer_untyped_503.py"),
    "breaker-missing": Defect("A dark provider is asked by every request for ever", "R4", "breaker_missing.py"),
    "breaker-never-closes": Defect("A circuit that has opened stays open", "R4", "breaker_never_closes.py"),
    "breaker-unbounded-probes": Defect(
        "A half-open circuit lets everybody through to a provider that is still dark", "R4", "breaker_unbounded_probes.py"
    ),
    "budget-alert-missing": Defect("Users are refused for want of budget, and nobody is told", "C3", "budget_alert_missing.py"),
    "budget-check-then-increment": Defect(
        "The budget is looked at before a call and increased after it, so that concurrent calls all pass",
        "C3",
        "budget_check_then_increment.py",
    ),
    "budget-in-the-store": Defect(
        "The ledger of the budget lives in Valkey, so that a flush gives everybody a new one", "C7", "budget_in_the_store.py"
    ),
    "budget-per-process": Defect(
        "Each instance counts the budget for itself, so that two instances spend it twice", "C3", "budget_per_process.py"
    ),
    "budget-shrinks-reservation": Defect(
        "A reservation that does not fit is shrunk to what is left, and the call made all the same",
        "C3",
        "budget_shrinks_reservation.py",
    ),
    "cache-flush-wipes-counters": Defect(
        "New knowledge flushes the whole store, the rate counters with it", "C2", "cache_flush_wipes_counters.py"
    ),
    "cache-hits-look-like-misses": Defect(
        "Where an answer came from is not said, so that no hit rate can be measured", "C6", "cache_hits_look_like_misses.py"
    ),
    "cache-keeps-degraded": Defect(
        "The polite answer of an outage is cached and given for an hour after it", "C1", "cache_keeps_degraded.py"
    ),
    "cache-key-without-model": Defect("An answer of one model is given for another", "C1", "cache_key_without_model.py"),
    "cache-key-without-tenant": Defect("One tenant is given another tenant's cached answer", "C1", "cache_key_without_tenant.py"),
    "cache-never-expires": Defect("A cached answer is fresh for ever", "C1", "cache_never_expires.py"),
    "cache-stale-on-one-instance": Defect(
        "New knowledge empties the cache of the instance that heard of it, and of no other",
        "C2",
        "cache_stale_on_one_instance.py",
    ),
    "canary-sticks": Defect("A bad canary is complained about, and keeps its share", "P3", "canary_sticks.py"),
    "cancelled-call-read-on": Defect(
        "When a client leaves, the provider's answer is read and paid for to its end", "C7", "cancelled_call_read_on.py"
    ),
    "cheap-model-never-used": Defect(
        "Near the end of a budget the large model goes on until nothing is left", "C4", "cheap_model_never_used.py"
    ),
    "cost-not-counted": Defect(
        "What answers cost appears in no metric, so that cost panels and the cost alert see nothing", "O4", "cost_not_counted.py"
    ),
    "cut-streams-not-charged": Defect(
        "A stream that the client cuts costs nothing, though the provider bills what it generated",
        "C7",
        "cut_streams_not_charged.py",
    ),
    "database-without-timeout": Defect("A statement that hangs is waited for without end", "R6", "database_without_timeout.py"),
    "degraded-not-marked": Defect("The polite answer of an outage looks like a model's", "R3", "degraded_not_marked.py"),
    "done-missing": Defect("A whole stream ends without [DONE]", "F2", "done_missing.py"),
    "escalation-not-recorded": Defect("A user is promised a person, and nobody is told", "F1", "escalation_not_recorded.py"),
    "estimate-charged-not-usage": Defect(
        "What was reserved is charged, whatever the provider billed", "C7", "estimate_charged_not_usage.py"
    ),
    "every-tenth-request-fails": Defect("One request in ten ends with an error of ours", "R8", "every_tenth_request_fails.py"),
    "fallback-missing": Defect("There is no second model: a dark primary means the polite answer", "R3", "fallback_missing.py"),
    "fallback-never-leaves": Defect("After its first failure the primary is never asked again", "R3", "fallback_never_leaves.py"),
    "fallback-not-charged": Defect("What the second model costs is charged to nobody", "C7", "fallback_not_charged.py"),
    "fallback-not-counted": Defect("An answer of the second model is reported as the primary's", "O2", "fallback_not_counted.py"),
    "fallback-on-400": Defect(
        "A request that the provider refuses as wrong is sent to the second model too", "R3", "fallback_on_400.py"
    ),
    "feedback-not-recorded": Defect(
        "A score is thanked for and thrown away, so that satisfaction cannot be measured", "F6", "feedback_not_recorded.py"
    ),
    "flag-kill-switch-ignored": Defect(
        "A feature that was switched off stays on for those who had it", "P4", "flag_kill_switch_ignored.py"
    ),
    "flag-not-deterministic": Defect(
        "Whether a feature is on for a user is drawn anew with each request", "P4", "flag_not_deterministic.py"
    ),
    "histogram-without-5s-bucket": Defect(
        "The latency histogram has no edge at 5, 10 and 30 s, so that the alert cannot tell 6 s from 4 s",
        "O3",
        "histogram_without_5s_bucket.py",
    ),
    "intent-always-knowledge": Defect(
        "Every message is taken for a question about knowledge", "F1", "intent_always_knowledge.py"
    ),
    "key-in-log": Defect("A refused request's key stands in the log", "S1", "key_in_log.py"),
    "liveness-does-io": Defect(
        "With PostgreSQL down the process says that it is dead, and is restarted for nothing", "O5", "liveness_does_io.py"
    ),
    "log-skips-refusals": Defect("What was refused does not appear in the log", "O1", "log_skips_refusals.py"),
    "log-without-request-id": Defect(
        "Log lines have an id of their own, which no header and no provider knows", "O1", "log_without_request_id.py"
    ),
    "max-tokens-not-sent": Defect(
        "The cap on tokens is reckoned with but not sent to the provider", "C5", "max_tokens_not_sent.py"
    ),
    "max-tokens-of-the-conversation": Defect(
        "max_tokens grows with the whole conversation, not with the user's own message", "C5", "max_tokens_of_the_conversation.py"
    ),
    "message-delivered-twice": Defect(
        "That an answer was delivered is not noted: it is delivered again and again", "R7", "message_delivered_twice.py"
    ),
    "message-key-ignored": Defect(
        "A message that is sent again under its idempotency key is answered and paid again", "R7", "message_key_ignored.py"
    ),
    "message-lost-at-kill": Defect(
        "A message that a killed worker had taken is never taken up again", "R7", "message_lost_at_kill.py"
    ),
    "message-not-sealed": Defect(
        "Messages and questions to people lie in the database as they were written", "S6", "message_not_sealed.py"
    ),
    "message-paid-twice": Defect(
        "A message that takes long is taken by a second worker too, and its call paid twice", "R7", "message_paid_twice.py"
    ),
    "message-read-by-anybody": Defect(
        "Who knows a message's id may read its answer, whoever asked it", "S5", "message_read_by_anybody.py"
    ),
    "metrics-count-successes": Defect(
        "Failed requests are not counted, so that the error rate is always nought", "O2", "metrics_count_successes.py"
    ),
    "metrics-in-milliseconds": Defect(
        "Durations are recorded in milliseconds under a name that says seconds", "O2", "metrics_in_milliseconds.py"
    ),
    "overbilling-not-charged": Defect(
        "A bill above the reservation is cut to the reservation: the ledger is below the meter",
        "C7",
        "overbilling_not_charged.py",
    ),
    "pii-in-debug-log": Defect("A debug line repeats the question as it came", "S6", "pii_in_debug_log.py"),
    "pii-in-the-error-path": Defect(
        "The log masks the questions that were answered, not those that were refused", "S6", "pii_in_the_error_path.py"
    ),
    "pool-unbounded": Defect(
        "Each request opens a connection of its own, until PostgreSQL has none left", "R5", "pool_unbounded.py"
    ),
    "pool-without-timeout": Defect("Who finds the pool empty waits without end", "R5", "pool_without_timeout.py"),
    "provider-without-timeout": Defect(
        "A provider that says nothing is waited for without end", "R6", "provider_without_timeout.py"
    ),
    "rate-limit-fails-open": Defect("With Valkey down, every request passes the rate limit", "R1", "rate_limit_fails_open.py"),
    "rate-limit-per-process": Defect(
        "Each instance counts requests for itself, so that two instances let twice as many pass",
        "S4",
        "rate_limit_per_process.py",
    ),
    "rate-limit-window-slides": Defect(
        "Every request starts the window anew, so that who keeps asking is never let in again",
        "S4",
        "rate_limit_window_slides.py",
    ),
    "rate-limit-without-retry-after": Defect("A 429 does not say when to come back", "S4", "rate_limit_without_retry_after.py"),
    "readiness-lies": Defect("The instance is ready whatever its stores say", "O5", "readiness_lies.py"),
    "ready-while-draining": Defect("An instance that is leaving still says that it is ready", "P2", "ready_while_draining.py"),
    "request-id-not-passed-on": Defect(
        "The provider is not told the request id, so that its records cannot be joined", "O1", "request_id_not_passed_on.py"
    ),
    "reservation-leaked-on-disconnect": Defect(
        "A client that leaves keeps its reservation held: honest users are refused later",
        "C3",
        "reservation_leaked_on_disconnect.py",
    ),
    "retrieval-any-passage": Defect("Passages are taken as they come, whatever was asked", "F6", "retrieval_any_passage.py"),
    "retrieval-of-every-tenant": Defect(
        "A tenant's question is answered from another tenant's documents", "S5", "retrieval_of_every_tenant.py"
    ),
    "retry-after-ignored": Defect("A provider that asks for quiet is asked again at once", "R2", "retry_after_ignored.py"),
    "retry-storm": Defect("Every failed call is tried ten times, at once and without a budget", "R2", "retry_storm.py"),
    "routing-always-large": Defect(
        "Every question goes to the large model, the simplest ones too", "C4", "routing_always_large.py"
    ),
    "savings-not-counted": Defect("What the cache saves is counted nowhere", "C6", "savings_not_counted.py"),
    "screen-blocks-the-loop": Defect(
        "The screen computes for a quarter of a second and lets nobody else run meanwhile", "F5", "screen_blocks_the_loop.py"
    ),
    "screen-chunk-by-chunk": Defect(
        "A stream is screened chunk by chunk: a secret in two chunks passes", "S3", "screen_chunk_by_chunk.py"
    ),
    "screen-last-message-only": Defect(
        "An attack passes when it is split over two messages", "S3", "screen_last_message_only.py"
    ),
    "screen-plain-patterns-only": Defect(
        "The document's three expressions are all the screen: one invisible character passes it",
        "S3",
        "screen_plain_patterns_only.py",
    ),
    "screen-refuses-look-alikes": Defect(
        "Honest questions that have an attack's words in them are refused", "S3", "screen_refuses_look_alikes.py"
    ),
    "screen-skipped-on-fallback": Defect("The second model's answer is not screened", "S3", "screen_skipped_on_fallback.py"),
    "screen-skipped-on-streams": Defect("An attack passes when it asks for a stream", "S3", "screen_skipped_on_streams.py"),
    "spend-lost-at-shutdown": Defect(
        "Settlements are gathered in memory, and what is gathered at a shutdown is lost", "C7", "spend_lost_at_shutdown.py"
    ),
    "standby-promoted-beside-its-primary": Defect(
        "A standby is promoted while its primary still works", "P1", "standby_promoted_beside_its_primary.py"
    ),
    "store-without-timeout": Defect("A frozen Valkey holds every user", "R6", "store_without_timeout.py"),
    "stream-buffered": Defect("A stream is held back until it is complete", "F2", "stream_buffered.py"),
    "stream-cut-ends-cleanly": Defect(
        "A stream that broke ends like a whole one: half an answer looks like all of it", "R3", "stream_cut_ends_cleanly.py"
    ),
    "stream-error-event-ignored": Defect(
        "An error event inside a 200 is skipped, and the half answer passed on as whole", "R1", "stream_error_event_ignored.py"
    ),
    "stream-error-swallowed": Defect("A stream that broke just stops, without an error event", "F3", "stream_error_swallowed.py"),
    "stream-out-of-order": Defect(
        "A piece of a stream leaves after the one that was said behind it", "F2", "stream_out_of_order.py"
    ),
    "stream-without-end-accepted": Defect(
        "A provider's stream that ends without its end is taken for whole", "R1", "stream_without_end_accepted.py"
    ),
    "stream-without-idle-timeout": Defect(
        "A stream that falls silent holds its user without end", "R6", "stream_without_idle_timeout.py"
    ),
    "tokens-not-metered": Defect("Tokens of a streamed answer are not counted", "C7", "tokens_not_metered.py"),
    "upstream-text-leaked": Defect("A client is shown the provider's own error text", "F3", "upstream_text_leaked.py"),
    "validate-answers-with-trace": Defect(
        "A wrong request is answered with a stack trace", "F3", "validate_answers_with_trace.py"
    ),
    "validate-max-tokens-unchecked": Defect(
        "A negative max_tokens is taken for one token", "F4", "validate_max_tokens_unchecked.py"
    ),
    "validate-no-length-limit": Defect("A message may be as long as its body", "F4", "validate_no_length_limit.py"),
}


def planted(name: str, under_test: str, healthy: T, by: str) -> T:
    """Return `healthy`, with the defects `name` put into it by their files' function `by`; a file may have none of that name.

    name: one defect, or several joined by `+` that each break another part. Raises SettingsError for an unknown defect,
    for two that break the same part, and for any where the program is not told that it is under test.
    """
    broken = healthy
    taken: dict[str, str] = {}
    for one in name.split("+") if name else ():
        if one not in DEFECTS:
            raise SettingsError(f"SERVICE_DEFECT={one} is not a planted defect; known: {', '.join(sorted(DEFECTS))}")
        if under_test != "yes":
            raise SettingsError(
                f"SERVICE_DEFECT={name} breaks a guard on purpose; set SERVICE_UNDER_TEST=yes if that is meant, else unset it"
            )
        for place, part in parts_broken_by(one, healthy, by).items():
            if place in taken:
                raise SettingsError(f"SERVICE_DEFECT: {taken[place]} and {one} both break {place}; plant one after the other")
            taken[place] = one
            broken = replace(broken, **{place: part})
    return broken


def parts_broken_by(name: str, healthy: T, by: str) -> dict[str, object]:
    """Return the parts of `healthy` that a known defect takes the place of, and what it puts there; empty where none."""
    module = import_module(f"reference_service.defects.{DEFECTS[name].file.removesuffix('.py')}")
    plant = getattr(module, by, None)
    if plant is None:
        return {}
    broken = plant(healthy)
    assert isinstance(broken, type(healthy))
    both = {field.name: (getattr(healthy, field.name), getattr(broken, field.name)) for field in fields(healthy)}
    return {place: part for place, (sound, part) in both.items() if part is not sound}
