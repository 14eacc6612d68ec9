"""One load worker from its assignment to its last sample."""

import gc
import math
import time
from pathlib import Path

import gevent
from gevent.event import Event

from harness.arrivals import peak_rps
from harness.errors import HarnessError, LoadError
from harness.exchange import End, Outcome, never_answered
from harness.load.canary import Canary
from harness.load.carrier import Carrier
from harness.load.clock import Alarm
from harness.load.kept import KeptExchanges
from harness.load.no_pandas import spare_pandas
from harness.load.pulse import LiveFile, Pulse
from harness.load.recorder import Recorder
from harness.load.schedule import Layout
from harness.load.senders import Lanes, Sender, Visitors, most_in_flight
from harness.load.wording import request_id_prefix
from harness.model.assignment import Assignment
from harness.model.error_kind import ErrorKind
from harness.model.plan import Plan
from harness.model.units import NS_PER_S
from harness.rundir import RunDirectory
from harness.rundir.schemas import SAMPLES_SCHEMA
from harness.rundir.tables import StreamWriter

_TICK_NS = 20_000_000
_YIELD_EVERY = 16
_FLUSH_ROWS = 512
"""Rows are written by so many where more come than that in a second: nothing is sent or dated while they are."""
_MIN_WARM, _MAX_WARM = 8, 500


class Worker:
    """Sends one worker's part of a plan and records it.

    Made ready by the constructor (schedule, files, warm connections), then `run` from the common zero. `stop` may be
    called at any time. carrier: of a worker that has a master, whose user is to call `dispatch`; None makes one of its
    own. Raises LoadError, StorageError and ConfigurationError.
    """

    def __init__(self, assignment: Assignment, carrier: Carrier | None = None) -> None:
        directory = RunDirectory.open(Path(assignment.run_directory))
        self._plan = plan = directory.read_plan()
        try:
            layout = Layout(plan, worker=assignment.worker, workers=assignment.workers)
        except ValueError as error:
            raise LoadError(f"{assignment.run_directory}/plan.json: {error}") from error
        self._schedule = layout.schedule
        if plan.load.locustfile is None:
            spare_pandas()
        self._recorded = bytearray(len(self._schedule))
        self._pulse = Pulse(self._schedule, worker=assignment.worker)
        self._failure: HarnessError | None = None
        self._over = Event()  # nothing more to wait for: all ended, told to stop, or failed
        self._sender = self._make_sender(assignment, layout)
        self._kept = KeptExchanges(directory, self._schedule, self._sender.asked, assignment)
        self._sender.warm(warm_lanes(plan, assignment.workers))
        if self._failure is not None:
            raise self._failure
        self._recorder = Recorder(
            StreamWriter(directory.samples_stream_path(assignment.worker), SAMPLES_SCHEMA),
            self._schedule,
            worker=assignment.worker,
            id_prefix=request_id_prefix(plan.run_id),
        )
        self._recorder.rehearse()
        self._canary = Canary(self._pulse.sang)
        self._live = LiveFile(directory.live_path)
        self._carrier = carrier or Carrier(self.dispatch, host=assignment.base_url, on_error=self.broke)
        self._zero_ns = 0
        self._may_send = Event()
        self._stopped = False
        if carrier is None:
            self._carrier.start()
        gc.collect()
        gc.freeze()  # what is here now lives as long as the process: the collector need not walk it again

    @property
    def intended(self) -> int:
        """How many arrivals are this worker's."""
        return len(self._schedule)

    @property
    def sent(self) -> int:
        """How many of them went out."""
        return self._pulse.sent

    def never_run(self) -> None:
        """Close the samples of a run that was called off before its zero: every arrival is a row that was stopped."""
        self._canary.close()
        self._carrier.stop()
        self._sender.cut_short(End.STOPPED)
        for index in range(len(self._schedule)):
            self._recorder.record(index, never_answered(ErrorKind.STOPPED, None))
        self._recorder.close()
        self._live.close()

    def run(self, zero_monotonic_ns: int) -> None:
        """Send everything from the given zero on, wait for what is in flight, close the samples.

        Raises what made it impossible to go on, after closing what could be closed.
        """
        self._zero_ns = zero_monotonic_ns
        self._sender.start(zero_monotonic_ns)
        self._pulse.begin()
        self._canary.start()
        pulse = gevent.spawn(self._beat)
        pulse.link_exception(lambda greenlet: self.broke(greenlet.exception))
        if not self._over.is_set():
            self._may_send.set()
        self._over.wait()
        self._close(pulse)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop sending: what is in flight is cancelled, what was not sent is a row too."""
        self._stopped = True
        self._over.set()

    # -- the pool's ledger ------------------------------------------------------------------------------------------

    def started(self, index: int, started_ns: int) -> None:
        """Count a request that goes out."""
        self._pulse.started(index, started_ns)

    def ended(self, index: int, outcome: Outcome, started_ns: int | None, pool_wait_ns: int | None) -> None:
        """Record what became of an arrival."""
        self._recorded[index] = 1
        self._pulse.ended(index, outcome)
        try:
            self._recorder.record(index, outcome, started_ns=started_ns, pool_wait_ns=pool_wait_ns)
        except HarnessError as error:
            self.failed(error)
        self._kept.ended(index, outcome)
        self._sender.ended(index, outcome)
        if self._carrier.is_heard:
            name = self._schedule.requests[self._schedule.request[index]].user_class.name
            self._carrier.told(name, outcome, started_ns, outcome.body_bytes)

    def due(self, count: int) -> None:
        """Count arrivals that fell due."""
        self._pulse.due += count

    def failed(self, error: HarnessError) -> None:
        """End the run for a reason of our own; the first one counts."""
        self._failure = self._failure or error
        self._over.set()

    # -- greenlets --------------------------------------------------------------------------------------------------

    def dispatch(self) -> None:
        """Hand out every arrival at its moment, whatever the answers do. Runs in Locust's user."""
        self._may_send.wait()
        alarm = Alarm()
        schedule, sender, zero_ns = self._schedule.intended_ns, self._sender, self._zero_ns
        sender.start_loops(self._plan.load.segments)
        behind = 0
        try:
            for index in range(self._schedule.open_count):
                behind = 0 if alarm.wait_until(zero_ns + schedule[index]) else behind + 1
                self._pulse.due += 1
                sender.send(index)
                if behind >= _YIELD_EVERY:
                    behind = 0
                    gevent.sleep(0)  # after a stall all that is due goes out, but answers that have come meanwhile are dated too
        finally:
            alarm.close()

    def _beat(self) -> None:
        """Wake every 20 ms to see how late the loop is; write once a second; notice the end."""
        alarm = Alarm()
        end_ns = self._plan.end_ns
        tick_ns = _TICK_NS
        try:
            while True:
                alarm.wait_until(self._zero_ns + tick_ns)
                now_ns = time.monotonic_ns() - self._zero_ns
                self._pulse.woke(now_ns - tick_ns)
                if self._recorder.waiting >= _FLUSH_ROWS:
                    self._recorder.flush()
                if tick_ns // NS_PER_S != (tick_ns - _TICK_NS) // NS_PER_S:
                    self._write(now_ns)
                done = self._pulse.finished == len(self._schedule) and not self._sender.in_flight
                if (done and now_ns >= end_ns) or now_ns >= end_ns + self._plan.load.drain_ns:
                    self._over.set()
                    return
                tick_ns = max(tick_ns + _TICK_NS, now_ns // _TICK_NS * _TICK_NS)
        except HarnessError as error:
            self.failed(error)
        finally:
            alarm.close()

    def _write(self, now_ns: int) -> None:
        self._kept.flush()
        self._recorder.flush()
        self._live.append(self._pulse.line(now_ns, self._phase_at(now_ns - NS_PER_S // 2), self._sender.in_flight))

    def broke(self, error: Exception) -> None:
        """End the run for a bug of ours."""
        self.failed(LoadError(f"the load engine broke: {error!r}", advice="this is a bug: please report it"))

    def _make_sender(self, assignment: Assignment, layout: Layout) -> Sender:
        plan = self._plan
        if plan.load.locustfile is not None:
            return Visitors(
                plan.load.locustfile,
                plan,
                assignment,
                layout,
                self,
                added=lambda: self._recorded.append(0),
                keeps=self._keeps,
                max_in_flight=most_in_flight(assignment),
            )
        return Lanes(
            plan,
            assignment,
            layout,
            self,
            added=lambda: self._recorded.append(0),
            keeps=self._keeps,
            now_ns=lambda: time.monotonic_ns() - self._zero_ns,
            max_in_flight=most_in_flight(assignment),
        )

    def _keeps(self, index: int) -> bool:
        return self._kept.wants(index)

    def _phase_at(self, now_ns: int) -> str:
        started = [phase.name for phase in self._plan.phases if phase.start_ns <= now_ns]
        return started[-1] if started else self._plan.phases[0].name

    def _close(self, pulse: gevent.Greenlet) -> None:
        pulse.kill()
        self._canary.close()
        self._sender.ask_no_more()
        self._carrier.stop()
        self._sender.cut_short(End.STOPPED if self._stopped else End.DRAIN_ENDED)
        now_ns = time.monotonic_ns() - self._zero_ns
        try:
            for index, recorded in enumerate(self._recorded):
                if not recorded:
                    # A later turn was never due: no answer before it had come.
                    is_due = self._schedule.intended_ns[index] <= now_ns and self._schedule.turn[index] <= 1
                    self._recorder.record(index, never_answered(ErrorKind.TOO_LATE if is_due else ErrorKind.STOPPED, None))
            self._write(now_ns)
            self._recorder.close()
            self._live.close()
        except HarnessError as error:
            self._failure = self._failure or error


def warm_lanes(plan: Plan, workers: int) -> int:
    """Return how many connections are opened ahead: a second of the highest rate and the largest burst, within bounds."""
    rates = [max(peak_rps(segment), segment.users or 0) for segment in plan.load.segments]
    wanted = max(rates, default=0.0) + max((burst.count for burst in plan.load.bursts), default=0)
    return min(max(math.ceil(wanted / workers), _MIN_WARM), _MAX_WARM)
