import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.cli.live_view import LiveView
from harness.model.fault import Fault
from harness.model.histogram import bucket_of
from harness.model.journal import Event
from harness.model.live import LiveLine
from harness.model.plan import (
    ArrivalProcess,
    ArrivalSegment,
    Clock,
    LoadPlan,
    Phase,
    PhaseKind,
    Plan,
    ScenarioReference,
    TargetReference,
    UserClass,
)
from harness.rundir import RunDirectory

S = 1_000_000_000
MS = 1_000_000


class Watch:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def make_plan(*, clock: Clock | None) -> Plan:
    phases = (("steady", PhaseKind.STEADY, 0, 30), ("outage", PhaseKind.FAULT, 30, 60))
    return Plan(
        run_id="r", created_at="2026-01-01T00:00:00+00:00", harness_version="0", seed=1, planned_requests=1200, clock=clock,
        scenario=ScenarioReference(name="provider-outage", title="The provider goes dark", path="x.yaml", digest="d"),
        target=TargetReference(kind="embedded", name="reference"),
        phases=tuple(Phase(name=n, kind=k, start_ns=a * S, end_ns=b * S) for n, k, a, b in phases),
        load=LoadPlan(segments=(ArrivalSegment(process=ArrivalProcess.POISSON, start_ns=0, end_ns=60 * S, rate_rps=20.0),),
                      mix=(UserClass(name="faq", weight_ratio=1.0, prompts=("p",)),), streamed_ratio=0.5, principals=1,
                      request_timeout_ns=S, drain_ns=S),
        faults=(Fault(id="f0", at="provider.primary", kind="timeout", phase="outage", apply_ns=30 * S, clear_ns=60 * S),),
        objectives=(),
    )  # fmt: skip


def line(second: int, *, worker: int = 0, latency_ms: int = 900, **changes: object) -> LiveLine:
    phase = "steady" if second <= 30 else "outage"
    made = LiveLine(worker=worker, t_ns=second * S, phase=phase, intended=20, sent=20, ended=20, in_flight=7,
                    results={"answered": 19, "timeout": 1}, sources={"primary": 19}, latency={bucket_of(latency_ms * MS): 20},
                    dispatch_lag={bucket_of(2 * MS): 20}, loop_lag={bucket_of(3 * MS): 10}, cpu_ratio=0.25)  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    made = RunDirectory.create(tmp_path / "run")
    made.write_plan(make_plan(clock=Clock(zero_monotonic_ns=1000 * S, zero_wall_ns=0)))
    return made


@pytest.fixture
def watch() -> Watch:
    return Watch()


def append(run: RunDirectory, *lines: LiveLine) -> None:
    with run.live_path.open("ab") as file:
        for each in lines:
            file.write(msgspec.json.encode(each) + b"\n")


@pytest.fixture
def plain(run: RunDirectory, watch: Watch) -> Iterator[tuple[LiveView, io.StringIO]]:
    stream = io.StringIO()
    view = LiveView(run, make_plan(clock=None), stream, terminal=False, monotonic_ns=watch)
    yield view, stream
    view.close()


def test_a_pipe_gets_one_line_every_five_seconds_with_what_a_watcher_wants(
    run: RunDirectory, watch: Watch, plain: tuple[LiveView, io.StringIO]
) -> None:
    view, stream = plain
    for tick in range(13):
        watch.now_ns = (1000 + tick) * S
        append(run, line(tick + 1))
        view.refresh()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[2] == (
        "[  10.0 s] steady 10 of 30 s, 50 s left; 220 sent of 1,200, 7 in flight; answered 209, timeout 11; p95 so far 898 ms"
    )


def test_journal_events_become_lines_of_their_own_with_the_fault_named(
    run: RunDirectory, watch: Watch, plain: tuple[LiveView, io.StringIO]
) -> None:
    view, stream = plain
    watch.now_ns = 1031 * S
    run.record(Event.PHASE_STARTED, "outage", at_ns=30 * S)
    run.record(Event.FAULT_REQUESTED, "f0", at_ns=30 * S)
    run.record(Event.FAULT_CONFIRMED, "f0", at_ns=30 * S + 40 * MS)
    view.refresh()
    first, second, state = stream.getvalue().splitlines()
    assert first == "[  30.0 s] phase outage started (fault, 30 s)"
    assert second == "[  30.0 s] fault timeout at provider.primary confirmed"
    assert state.endswith("faults timeout at provider.primary active")


def test_a_fault_that_was_proved_clear_is_no_longer_shown(
    run: RunDirectory, watch: Watch, plain: tuple[LiveView, io.StringIO]
) -> None:
    view, stream = plain
    watch.now_ns = 1061 * S
    run.record(Event.FAULT_CONFIRMED, "f0", at_ns=30 * S)
    run.record(Event.FAULT_PROVED_CLEAR, "f0", at_ns=60 * S)
    view.refresh()
    assert "faults" not in stream.getvalue().splitlines()[-1]
    assert "finishing what is in flight" in stream.getvalue()


def test_lines_of_several_workers_are_added_and_their_histograms_merged(
    run: RunDirectory, watch: Watch, plain: tuple[LiveView, io.StringIO]
) -> None:
    view, stream = plain
    watch.now_ns = 1001 * S
    append(run, line(1, worker=0, latency_ms=100), line(1, worker=1, latency_ms=4000, sent=15))
    view.refresh()
    assert "35 sent of 1,200, 14 in flight; 5 due but not sent; answered 38, timeout 2; p95 so far 4" in stream.getvalue()


def test_a_line_cut_in_the_middle_is_read_when_it_is_whole_and_garbage_is_passed_over(
    run: RunDirectory, watch: Watch, plain: tuple[LiveView, io.StringIO]
) -> None:
    view, stream = plain
    data = msgspec.json.encode(line(1)) + b"\n"
    run.live_path.write_bytes(b"not json\n" + data[:40])
    view.refresh()
    with run.live_path.open("ab") as file:
        file.write(data[40:])
    watch.now_ns = 1001 * S
    view.refresh()
    assert "20 sent of 1,200" in stream.getvalue()


def test_before_the_zero_is_fixed_nothing_is_counted_and_nothing_fails(tmp_path: Path, watch: Watch) -> None:
    run, stream = RunDirectory.create(tmp_path / "early"), io.StringIO()
    view = LiveView(run, make_plan(clock=None), stream, terminal=False, monotonic_ns=watch)
    view.refresh()
    run.record(Event.STACK_READY)
    view.refresh()
    view.close()
    assert stream.getvalue() == "[ before ] the target is up\n"


def test_hostile_text_in_the_journal_cannot_steer_the_terminal(
    run: RunDirectory, watch: Watch, plain: tuple[LiveView, io.StringIO]
) -> None:
    view, stream = plain
    run.record(Event.TROUBLE, "\x1b]0;owned\x07", at_ns=1, log="\x1b[2J [bold]x[/bold]")
    view.refresh()
    assert "\x1b" not in stream.getvalue()
    assert "\\x1b]0;owned\\x07 (log \\x1b[2J [bold]x[/bold])" in stream.getvalue()


def test_a_stream_that_breaks_silences_the_view_and_not_the_run(run: RunDirectory, watch: Watch) -> None:
    class Broken(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            Broken.writes += 1
            raise BrokenPipeError

    watch.now_ns = 1001 * S
    view = LiveView(run, make_plan(clock=None), Broken(), terminal=False, monotonic_ns=watch)
    view.refresh()
    tried = Broken.writes
    watch.now_ns = 1020 * S
    view.refresh()
    view.close()
    assert 0 < tried == Broken.writes


def test_an_encoding_without_our_symbols_does_not_stop_the_view(run: RunDirectory, watch: Watch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    view = LiveView(run, make_plan(clock=None), stream, terminal=False, monotonic_ns=watch)
    run.record(Event.TROUBLE, "é", at_ns=1)
    watch.now_ns = 1001 * S
    view.close()
    assert b"\\xe9" in raw.getvalue()
    assert b"steady" in raw.getvalue()


def _screen(run: RunDirectory, watch: Watch) -> str:
    stream = Terminal()
    view = LiveView(run, make_plan(clock=None), stream, terminal=True, monotonic_ns=watch)
    append(run, line(31), line(32, sources={"secondary": 19}))
    run.record(Event.FAULT_CONFIRMED, "f0", at_ns=30 * S)
    watch.now_ns = 1032 * S
    view.refresh()
    view.close()
    return stream.getvalue()


def test_a_terminal_shows_phase_arrivals_outcomes_p95_sources_faults_and_the_instrument(
    run: RunDirectory, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = _screen(run, watch)
    for part in ("The provider goes dark", "outage 2 of 30 s, 28 s left", "40 of 1,200 due, 40 sent, 7 in flight", "answered 38, timeout 2",
                 "outage 898 ms", "primary 19, secondary 19", "timeout at provider.primary: active", "CPU 25 %"):  # fmt: skip
        assert part in shown
    assert "\x1b[33m" in shown


def test_no_color_is_honoured_and_the_cursor_is_given_back(
    run: RunDirectory, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = _screen(run, watch)
    assert "\x1b[33m" not in shown
    assert "\x1b[31m" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
