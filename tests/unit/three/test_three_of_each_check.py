"""Every check is seen to pass, to fail, and to know nothing: a check without its three runs fails here."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import test_checks_alert_routing as routing
import test_checks_alerts as alerts
import test_checks_answers as answers
import test_checks_authentication as authentication
import test_checks_budget_cap as budget
import test_checks_disasters as disasters
import test_checks_global_limit as limit
import test_checks_guard_bypass as bypass
import test_checks_keys as keys
import test_checks_people as people
import test_checks_polite_answers as polite
import test_checks_rate_limit as rate
import test_checks_retry_amplification as retries
import test_checks_retry_backoff as backoff
import test_checks_rollout as rollout
import test_checks_shared_answers as shared
import test_checks_stores as stores
import test_checks_stream_flow as flow
import test_checks_telemetry as telemetry
import test_checks_watching as watching
from asking import Three, ask, lacking
from probe_runs import OUTAGE, A, Answering, judged
from run_builder import S, healthy_samples, unsent

from harness.checks import CHECKS
from harness.judge import judge
from harness.model.outcome import Result
from harness.model.plan import Phase
from harness.model.probe import ProbeRecord

ROWS = healthy_samples()
LONG = rollout.LONG


def nobody_asked(name: str, phase: Phase) -> Callable[[Path], object]:
    return lambda path: judged(path, answers.check_of(name), None, phase=phase)


def of_answers(name: str, probe: str, answer: A | None = None, **material: object) -> Three:
    """Return three runs of a check whose probes are answered well, but for one; or whose material is another when broken."""
    broken = None if answer is None else answers.but(name, probe, answer)
    return Three(
        healthy=lambda path: answers.seen(path, name),
        broken=lambda path: answers.seen(path, name, broken, **material),
        nothing=nobody_asked(name, answers.WIDE),
    )


def watched(check: watching.PlannedCheck, healthy: Answering, broken: Answering, **material: object) -> Three:
    def run(answering: Answering | None) -> Callable[[Path], object]:
        return lambda path: watching.seen(path, check, answering, **material)

    return Three(healthy=run(healthy), broken=run(broken), nothing=run(None))


def answered_attack(path: Path) -> object:
    attacks = bypass.canaries()
    attacks[15] = replace(attacks[15], result=Result.ANSWERED, refusal=None, status_code=200)
    return bypass.seen(path, attacks)


def burst_never_sent(path: Path) -> object:
    steps = budget.PLANNER.plan(budget.check(), budget.STEADY)
    builder = budget.RunBuilder(checks=(budget.check(),), bursts=steps.bursts, capped=steps.capped_principals)
    return judge(builder.build(path / "run"))


def leaking(path: Path) -> object:
    text = f"Of course: {disasters.PLANTED[0]}."
    return disasters.private(path, lambda probe, *_: A(body=text if probe.name == "whole-2" else "Nothing."))


def from_a_cache(record: ProbeRecord) -> bool:
    return record.name != "other-1" and not record.name.startswith("again")


def hung(seconds: float) -> Callable[[Path], object]:
    rows = watching.load(lambda row: replace(row, ended_ns=row.intended_ns + round(seconds * S)))
    return lambda path: watching.seen(path, watching.LIMIT, None, samples=rows)


def nobody_in_the_outage(path: Path) -> object:
    rows = [row if not OUTAGE.start_ns <= row.intended_ns < OUTAGE.end_ns else unsent(row) for row in ROWS]
    return watching.seen(path, watching.LIMIT, None, samples=rows)


kept_in_the_cache = polite.again(polite.said("Please come back later.", "cache"))
NEEDS = {"alerts": "promtool", "dashboards": "promtool", "alert routing": "amtool", "metric names": "promtool"}
CLEAN: rollout.Told = {"files": 700, "commits": 320, "found": 0, "where": ""}
TWENTY: rollout.Told = {"instance_a": 20, "instance_b": 17}

THREE: Mapping[str, Three] = {
    "alert routing": Three(
        healthy=routing.judged,
        broken=lambda path: routing.judged(path, routing=routing.NO_PAGE),
        nothing=lambda path: routing.judged(path, routing={}),
    ),
    "alerts": Three(
        healthy=lambda path: alerts.judged(path, alerts.scraped(1000.0)),
        broken=lambda path: alerts.judged(path, alerts.scraped(10.0)),  # HighErrorRate, which nothing called for
        nothing=lambda path: alerts.judged(path, []),
    ),
    "answer privacy": Three(
        healthy=lambda path: disasters.private(path, lambda *_: A(body="Write to j***@example.com for this.")),
        broken=leaking,
        nothing=lambda path: disasters.private(path, lambda *_: A(), calls=[]),  # the model gave nothing away
    ),
    "audit kept": Three(
        healthy=lambda path: judged(path, rollout.KEPT, rollout.audited(), phase=OUTAGE),
        broken=lambda path: judged(path, rollout.KEPT, rollout.audited(kept=5), phase=OUTAGE),
        nothing=lambda path: judged(path, rollout.KEPT, rollout.audited(readable=False), phase=OUTAGE),
    ),
    "audit log": of_answers("audit log", "erase", A()),
    "authentication": Three(
        healthy=lambda path: judged(path, authentication.CHECK, authentication.healthy),
        broken=lambda path: judged(
            path, authentication.CHECK, lambda p, n, i: A() if p.name == "wrong-key" else authentication.healthy(p, n, i)
        ),
        nothing=lambda path: judged(path, authentication.CHECK, None),
    ),
    "backup": Three(
        healthy=disasters.drilled,
        broken=lambda path: disasters.drilled(
            path, lambda p, n, i: A(status=404) if p.name == "kept-after" else disasters.restored(p, n, i)
        ),
        nothing=lambda path: disasters.drilled(path, actions={**disasters.DONE, "back-up": None}),
    ),
    "balancer": Three(
        healthy=lambda path: rollout.balanced(path, rollout.TYPED),
        broken=lambda path: rollout.balanced(path, {**rollout.TYPED, "received": 2}),
        nothing=lambda path: rollout.balanced(path, {**rollout.TYPED, "received": 0}),
    ),
    "breaker": watched(
        watching.OPENS,
        watching.circuit(lambda n, _: "closed" if n < 2 else "open"),
        watching.circuit(lambda n, i: "open" if n > 1 and i == "a" else "closed"),
    ),
    "budget cap": Three(
        healthy=lambda path: budget.judged(path, 2), broken=lambda path: budget.judged(path, 8), nothing=burst_never_sent
    ),
    "cache": of_answers("cache", "first-foreign", A(headers={"x-gateway-cache": "hit-shared"})),
    "cache age": Three(
        healthy=lambda path: stores.aged(path, *stores.ASKED, *stores.ANEW),
        broken=lambda path: stores.aged(path, *stores.ASKED),
        nothing=lambda path: judged(path, stores.AGE, None),
    ),
    "cache expiry": Three(
        healthy=lambda path: rollout.cached(path, "first", "old"),
        broken=lambda path: rollout.cached(path, "first"),
        nothing=rollout.cached,  # the provider was never asked
    ),
    "canary release": Three(
        healthy=lambda path: rollout.released(path, rollout.GOOD, rollout.SHIFTED),
        broken=lambda path: rollout.released(path, rollout.GOOD, rollout.SHIFTED, lost=100),
        nothing=lambda path: rollout.released(path, rollout.GOOD, None),
    ),
    "connect limit": Three(
        healthy=lambda path: stores.connecting(path, stores.waiting(2.01)),
        broken=lambda path: stores.connecting(path, stores.waiting(7.5)),
        nothing=lambda path: stores.connecting(path, stores.waiting()),  # nobody waited for a connection
    ),
    "connection limit": Three(
        healthy=lambda path: rollout.counted(path, TWENTY, TWENTY, TWENTY),
        broken=lambda path: rollout.counted(path, TWENTY, {**TWENTY, "instance_b": 21}, TWENTY),
        nothing=lambda path: rollout.counted(path, None, None, None),
    ),
    "dashboards": Three(
        healthy=lambda path: alerts.shown(path, alerts.scraped(5.0), alerts.PANELS),
        broken=lambda path: alerts.shown(path, alerts.scraped(5.0), {**alerts.PANELS, "quality: S": "no_such_metric"}),
        nothing=lambda path: alerts.shown(path, [], alerts.PANELS),
    ),
    "drain": Three(
        healthy=watching.drained,
        broken=lambda path: watching.drained(path, lambda *_: A()),  # it called itself ready until the end
        nothing=lambda path: watching.drained(path, actions={**watching.LEFT, "end": None}),
    ),
    "fails closed": of_answers("fails closed", "asked-1", A()),
    "feature flags": of_answers("feature flags", "off-5", A(headers=answers.FEATURE)),
    "global limit": Three(
        healthy=limit.seen,
        broken=lambda path: limit.seen(path, limit.load(61)),
        nothing=lambda path: limit.seen(path, answering=lambda *_: None),  # filled, and nobody was asked what it says
    ),
    "guard bypass": Three(
        healthy=lambda path: bypass.seen(path, bypass.canaries()),
        broken=answered_attack,
        nothing=lambda path: bypass.seen(path, [], None),
    ),
    "health": watched(watching.STAYS, watching.ready_is(200), watching.ready_is(503)),
    "idle connections": Three(
        healthy=lambda path: stores.lying(path, *[stores.MANY] * 3, *[stores.FEW] * 3),
        broken=lambda path: stores.lying(path, *[stores.MANY] * 5, {**stores.FEW, "idle_s_a": 45.0}),
        nothing=lambda path: judged(path, stores.IDLE, None, phase=stores.WIDE),
    ),
    "input validation": of_answers("input validation", "too-long", A()),
    "kept keys": Three(
        healthy=lambda path: keys.kept(path, {"worker.log": "ready\n"}),
        broken=lambda path: keys.kept(path, {"worker.log": f"{keys.KEY}\n"}),
        nothing=lambda path: keys.kept(path, samples=[]),
    ),
    "key ages": Three(
        healthy=lambda path: keys.aged(path, keys.YOUNG),
        broken=lambda path: keys.aged(path, {**keys.YOUNG, "oldest_days": 32.0}),
        nothing=lambda path: keys.aged(path, {}),
    ),
    "key rotation": of_answers("key rotation", "old-after", A()),
    "known keys": of_answers("known keys", "asked-5", answers.typed(401, "invalid_api_key")),
    "log fields": Three(
        healthy=telemetry.written,
        broken=lambda path: telemetry.written(path, telemetry.log("whole", tokens=None)),
        nothing=lambda path: telemetry.written(path, "nothing of it\n"),
    ),
    "messages once": of_answers("messages once", "again-2", A(status=202, body={"id": "another"})),
    "metric names": Three(
        healthy=lambda path: telemetry.listed(path, telemetry.exposed(telemetry.HTTP, telemetry.TOKENS)),
        broken=lambda path: telemetry.listed(path, telemetry.exposed(telemetry.HTTP)),
        nothing=lambda path: telemetry.listed(path, []),
    ),
    "model choice": of_answers("model choice", "", calls=answers.but_call("hard", model="sim-small")),
    "personal data": of_answers("personal data", "metrics", A(body=f'q{{text="{answers.phone_of("personal-data")}"}} 1')),
    "polite answers": Three(
        healthy=lambda path: polite.seen(path, polite.healthy),
        broken=lambda path: polite.seen(path, kept_in_the_cache),
        nothing=lambda path: polite.seen(path, lambda *_: polite.said("A model speaks.", "primary")),  # there was no outage
    ),
    "quality": Three(
        healthy=people.readers,
        broken=lambda path: people.readers(path, takes=lambda _: "knowledge"),
        nothing=lambda path: people.readers(path, asked=False),
    ),
    "rate limit": Three(
        healthy=lambda path: rate.judged(path, 10),
        broken=lambda path: rate.judged(path, 11),
        nothing=lambda path: rate.judged(path, 0, sent=0),
    ),
    "rate refusals": of_answers("rate refusals", "beyond-0", A()),
    "rate window": Three(
        healthy=lambda path: judged(path, rollout.WINDOW, rollout.limited(), phase=LONG),
        broken=lambda path: judged(path, rollout.WINDOW, rollout.limited(A(status=429)), phase=LONG),
        nothing=lambda path: judged(path, rollout.WINDOW, rollout.limited(None), phase=LONG),
    ),
    "reservation leak": of_answers("reservation leak", "account-3", answers.account(spent=0.0, reserved=0.0065)),
    "retrieval": of_answers("retrieval", "", calls=[*answers.SHOWN[1:], answers.billed("own-0", 30)]),
    "retry after": Three(
        healthy=lambda path: rollout.quiet(path, 12.2, 12.3, 12.9, 16.4, 16.5, 20.8),
        broken=lambda path: rollout.quiet(path, 12.2, *(13.5 + n / 2 for n in range(12))),
        nothing=rollout.quiet,
    ),
    "retry amplification": Three(
        healthy=lambda path: retries.judged(path, None),
        broken=lambda path: retries.judged(path, retries.tried(2)),
        nothing=lambda path: retries.judged(path, []),
    ),
    "retry backoff": Three(
        healthy=lambda path: backoff.judged(path, backoff.tried(backoff.jitter)),
        broken=lambda path: backoff.judged(path, backoff.tried(backoff.fixed)),
        nothing=lambda path: backoff.judged(path, None),
    ),
    "secret scan": Three(
        healthy=lambda path: rollout.scan(path, CLEAN),
        broken=lambda path: rollout.scan(path, {**CLEAN, "found": 1, "where": "settings.py:2: a token"}),
        nothing=lambda path: rollout.scan(path, {**CLEAN, "files": 0}),
    ),
    "server counts": watched(watching.COUNTS, watching.metrics(), watching.metrics(count=120), samples=healthy_samples()),
    "shared answers": Three(
        healthy=lambda path: shared._seen(path, lambda record: not record.name.startswith("again")),
        broken=lambda path: shared._seen(path, from_a_cache),
        nothing=lambda path: shared._seen(path, lambda record: True, None),
    ),
    "slow client": Three(
        healthy=lambda path: people.met(path, people.slowly(people.LET_GO)),
        broken=lambda path: people.met(path, people.slowly(people.LET_GO, answers.typed(503))),
        nothing=lambda path: people.met(path, None),
    ),
    "standby": Three(
        healthy=lambda path: disasters.promoted(path, disasters.OBEYED),
        broken=lambda path: disasters.promoted(path, {**disasters.OBEYED, "beside_promoted": 1, "beside_exit": 0}),
        nothing=lambda path: disasters.promoted(path, {**disasters.OBEYED, "beside_asked": 0}),
    ),
    "stream flow": Three(
        healthy=lambda path: flow.judged(path, ROWS),
        broken=lambda path: flow.judged(path, [flow.buffered(row) for row in ROWS]),
        nothing=lambda path: flow.judged(path, [replace(row, streamed=False) for row in ROWS]),
    ),
    "time limits": Three(healthy=hung(5.9), broken=hung(6.1), nothing=nobody_in_the_outage),
    "without search": Three(
        healthy=stores.searched,
        broken=lambda path: stores.searched(path, {"without-0": A()}),
        nothing=lambda path: judged(path, stores.SEARCH, None, faults=(stores.LOCK,)),
    ),
    "workflows": Three(
        healthy=people.visit,
        broken=lambda path: people.visit(path, kept={**people.KEPT, "escalations": 1}),
        nothing=lambda path: people.visit(path, None),
    ),
}


def test_every_check_has_its_three_runs() -> None:
    assert not lacking(set(CHECKS), THREE)


@pytest.mark.parametrize("name", sorted(THREE))
def test_a_check_passes_fails_and_knows_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = NEEDS.get(name)
    if program is not None and shutil.which(program) is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no {program} on the PATH")
    ask(name, THREE[name], tmp_path, monkeypatch)
