"""The users of a locustfile, run as Locust runs them: their tasks unchanged, their waiting ours.

In open arrivals every wait of a user is a wait for the next arrival, so that one arrival is one task; users enough are
made for each arrival to find one, and none waits for an answer of another. In a closed loop the users wait as their file
says. Locust's own part that starts and stops users by the second is not used.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import gevent
import locust
from gevent.pool import Group
from locust import TaskSet, User

from harness.errors import ConfigurationError, LoadError
from harness.exchange import End, Outcome, Reading, never_answered
from harness.load.asks import IN_CONTEXT, Ask, WatchedSessions
from harness.load.cast import Cast, spread
from harness.load.locustfile import Locustfile, environment_of, where_raised
from harness.load.pool import Ledger
from harness.load.schedule import Layout, Request
from harness.load.told import outcome_of
from harness.load.visitor import Visitor
from harness.load.wording import request_id_prefix
from harness.model.assignment import Assignment
from harness.model.error_kind import ErrorKind
from harness.model.outcome import Result
from harness.model.plan import ArrivalProcess, ArrivalSegment, Plan, UserClass
from harness.model.units import NS_PER_S

SETTLED_WITHIN_S = 25.0
MOST_NAMES = 256
OTHER = "(other)"
_TOLD_ERRORS = 20


class VisitorPool:
    """The users of one worker, in the place of the pool of lanes. Raises ConfigurationError, LoadError.

    added: told of every row that is laid out while the run goes on. keeps: whether the whole exchange of a row is wanted.
    """

    def __init__(
        self,
        file: Locustfile,
        *,
        layout: Layout,
        plan: Plan,
        assignment: Assignment,
        reading: Reading,
        ledger: Ledger,
        added: Callable[[], None],
        keeps: Callable[[int], bool],
        max_users: int,
    ) -> None:
        self._file = file
        self._layout = layout
        self._plan = plan
        self._assignment = assignment
        self._reading = reading
        self.ledger = ledger
        self._added = added
        self._keeps = keeps
        self._max_users = max_users
        self._cast = Cast(file.users, plan.seed)
        self._prefix = request_id_prefix(plan.run_id)
        self._kinds: dict[tuple[str, bool], int] = {}
        self._sent: dict[int, bytes] = {}
        self._idle: dict[type[User], list[Visitor]] = {user: [] for user in file.users}
        self._visitors: dict[int, Visitor] = {}
        self._group = Group()
        self._told_errors: Counter[str] = Counter()
        self._settling_error: Exception | None = None
        self.zero_ns = 0
        self.uncounted = 0
        self.is_counting = False
        self.environment = environment_of(file, assignment)
        locust.events.request.add_listener(self._hear)  # type: ignore[no-untyped-call]
        locust.events.user_error.add_listener(self._hear_error)  # type: ignore[no-untyped-call]
        self._sessions = WatchedSessions(lambda session: self._visitors.get(id(session.user)))
        self._locusts_wait = TaskSet.wait
        self._take_over_waiting()
        random.seed(plan.seed)

    # -- what the worker asks of a pool -----------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """How many users are at work."""
        return sum(not visitor.is_idle for visitor in self._visitors.values())

    def warm(self, count: int) -> None:
        """Make users and let them do what they do at their start, before anything is measured."""
        locust.events.init.fire(environment=self.environment, runner=self.environment.runner, web_ui=None)  # type: ignore[no-untyped-call]
        locust.events.test_start.fire(environment=self.environment)  # type: ignore[no-untyped-call]
        if all(segment.process is ArrivalProcess.CLOSED for segment in self._plan.load.segments):
            return
        for number in range(min(count, self._max_users)):
            self._new(self._cast.choose(number))
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while any(not visitor.is_settled for visitor in self._visitors.values()) and self._settling_error is None:
            if time.monotonic() > deadline:
                raise LoadError(f"{self._file.path}: a user's on_start was not done within {SETTLED_WITHIN_S:.0f} s")
            gevent.sleep(0.01)
        if self._settling_error is not None:
            what = where_raised(self._settling_error, self._file.path)
            raise ConfigurationError(f"{self._file.path}: a user raised in its on_start: {what}")

    def start(self, zero_ns: int) -> None:
        """Fix the run's zero, on CLOCK_MONOTONIC; what is asked from now on is a row."""
        self.zero_ns = zero_ns
        self.is_counting = True

    def send(self, index: int) -> None:
        """Hand an arrival to a user. Returns at once."""
        user_class = self._cast.choose(self._layout.schedule.seq[index])
        idle = self._idle[user_class]
        if idle:
            idle.pop().take(index, self.now_ns())
        elif len(self._visitors) < self._max_users:
            self._new(user_class).take(index, self.now_ns())
        else:
            self.ledger.ended(index, never_answered(ErrorKind.POOL_EXHAUSTED, None), None, None)

    def start_loops(self, segments: Sequence[ArrivalSegment]) -> None:
        """Start the users of every closed segment; each begins with its segment."""
        for segment in segments:
            if segment.process is ArrivalProcess.CLOSED:
                gevent.spawn_later(max(segment.start_ns - self.now_ns(), 0) / NS_PER_S, self._start_loop, segment).link_exception(
                    lambda greenlet: self.ledger.broke(greenlet.exception)
                )

    def cut_short(self, cut: End) -> None:
        """End what is in flight as cancelled, and the users with it; what they do at their stop is not counted."""
        self.is_counting = False
        for visitor in list(self._visitors.values()):
            visitor.cut_short(cut, self._plan.load.request_timeout_ns)
        self._group.kill(timeout=1)
        with gevent.Timeout(1, False):
            locust.events.test_stop.fire(environment=self.environment)  # type: ignore[no-untyped-call]
        self._sessions.release()
        TaskSet.wait = self._locusts_wait  # type: ignore[method-assign]
        self._visitors.clear()

    # -- what visitors ask of it ------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Return the moment on the run's clock."""
        return time.monotonic_ns() - self.zero_ns

    def is_past(self, loop: ArrivalSegment) -> bool:
        """Return whether a closed segment is over."""
        return not self.is_counting or self.now_ns() >= loop.end_ns

    def rests(self, visitor: Visitor) -> None:
        """Take a user that has nothing to do."""
        visitor.is_idle = True
        self._idle[type(visitor.user)].append(visitor)

    def new_row(self, intended_ns: int) -> int:
        """Lay out the row of a request that no arrival asked for: it is intended when it is asked."""
        index = self._layout.add_asked(self._kind("locustfile", streamed=False), intended_ns=intended_ns)
        self._added()
        self.ledger.due(1)
        return index

    def request_id(self, index: int) -> str:
        """Return the id that the request of a row carries."""
        return f"{self._prefix}{self._layout.schedule.seq[index]}"

    def request(self, index: int) -> bytes:
        """Return what was asked, as far as it is known: method, path and body; no header, which may hold the task's own keys."""
        return self._sent.pop(index, b"")

    def record(self, ask: Ask) -> Outcome:
        """Make the row of a request that is over."""
        told = ask.told(chat_path=self._assignment.chat_path)
        outcome = outcome_of(told, self._reading, timeout_ns=self._plan.load.request_timeout_ns)
        is_stream = told.is_timed and told.events is not None
        self._layout.schedule.request[ask.index] = self._kind(ask.name, streamed=is_stream)
        if self._keeps(ask.index) or outcome.result is not Result.ANSWERED:
            self._sent[ask.index] = b"%b %b\n\n%b" % (ask.method.encode(), ask.path.encode(), ask.sent_bytes())
        started_ns = None if outcome.result is Result.UNSENT else ask.started_ns
        self.ledger.ended(ask.index, outcome, started_ns, ask.pool_wait_ns)
        self._sent.pop(ask.index, None)
        return outcome

    # -- inside -----------------------------------------------------------------------------------------------------

    def _new(self, user_class: type[User], loop: ArrivalSegment | None = None) -> Visitor:
        try:
            visitor = Visitor(self, user_class, loop=loop)
        except Exception as error:
            what = where_raised(error, self._file.path)
            raise ConfigurationError(f"{self._file.path}: {user_class.__name__} cannot be made: {what}") from error
        self._visitors[id(visitor.user)] = visitor
        greenlet: gevent.Greenlet = visitor.user.start(self._group)
        greenlet.link(lambda _: self._gone(visitor))
        return visitor

    def _take_over_waiting(self) -> None:
        def wait(taskset: TaskSet) -> None:
            self._wait(taskset)

        TaskSet.wait = wait  # type: ignore[method-assign] # put back in `cut_short`

    def _start_loop(self, segment: ArrivalSegment) -> None:
        for user_class in spread(self._file.users, segment.users or 0):
            self._new(user_class, segment)

    def _gone(self, visitor: Visitor) -> None:
        """Forget a user whose greenlet has ended: it stopped by itself, or could not start."""
        if self._visitors.pop(id(visitor.user), None) is None:
            return
        visitor.task_over()
        if visitor.is_idle and visitor in self._idle[type(visitor.user)]:
            self._idle[type(visitor.user)].remove(visitor)

    def _wait(self, taskset: TaskSet) -> None:
        visitor = self._visitors.get(id(taskset.user))
        if visitor is None:
            self._locusts_wait(taskset)  # type: ignore[no-untyped-call]
        else:
            visitor.wait(taskset, self._locusts_wait)

    def _hear(self, name: str, exception: BaseException | None, context: Any, response: Any = None, **told: Any) -> None:
        ask = (context or {}).get(IN_CONTEXT)
        visitor = self._here() if ask is None else ask.asker
        if visitor is None:
            return
        if ask is None:  # a client of the file's own, which tells Locust by itself: only its end and its length are known
            ask = visitor.asks(str(told.get("request_type", "")), str(name), streams=False, fast=False)
            if ask is None:
                return
            ask.started_ns -= round(float(told.get("response_time") or 0) * 1e6)
        ask.hear(name=str(name), response=response, exception=exception)
        if ask.is_over:
            visitor.finish(ask)

    def _here(self) -> Visitor | None:
        """Return the user in whose greenlet this runs; Locust's greenlets have their user as the first argument."""
        arguments = getattr(gevent.getcurrent(), "args", None) or (None,)
        return self._visitors.get(id(arguments[0]))

    def _hear_error(self, user_instance: Any, exception: Exception, **_: object) -> None:
        visitor = self._visitors.get(id(getattr(user_instance, "user", user_instance)))
        if visitor is not None:
            self.raised(visitor, exception)

    def raised(self, visitor: Visitor, exception: Exception) -> None:
        """Take what a task raised, or an on_start."""
        if not self.is_counting and not visitor.is_settled:
            self._settling_error = self._settling_error or exception
        what = f"{type(visitor.user).__name__} raised {where_raised(exception, self._file.path)}"
        self._told_errors[what] += 1
        if self._told_errors[what] == 1 and len(self._told_errors) <= _TOLD_ERRORS:
            sys.stderr.write(f"{self._file.path.name}: {what}\n")
        visitor.task_over(failed=True)

    def _kind(self, name: str, *, streamed: bool) -> int:
        requests = self._layout.schedule.requests
        if (name, streamed) not in self._kinds:
            if len(self._kinds) >= MOST_NAMES and name != OTHER:
                return self._kind(OTHER, streamed=streamed)
            self._kinds[name, streamed] = len(requests)
            requests.append(Request(user_class=UserClass(name=name, weight_ratio=0, prompts=()), prompt="", streamed=streamed))
        return self._kinds[name, streamed]
