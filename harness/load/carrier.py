"""Locust's part: an environment, a local runner and one user that holds the whole schedule.

Only this module imports Locust, whose import patches the process (`gevent.monkey`). No web UI, no arguments read, no
statistics printed, no signal handler taken.
"""

import logging
import time
from collections.abc import Callable

from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from harness.exchange import Outcome
from harness.model.outcome import BAD_RESULTS


class RequestFailed(Exception):  # noqa: N818 - Locust's users read its text in their statistics
    """What Locust's listeners get as the exception of a bad request."""


class Carrier:
    """Runs one function as Locust's user, and tells Locust's listeners of each request.

    on_error: what to do where `dispatch` raises; Locust by itself would log it and start the schedule again.
    """

    def __init__(self, dispatch: Callable[[], None], *, host: str, on_error: Callable[[Exception], None]) -> None:
        logging.getLogger("locust").addHandler(logging.NullHandler())
        self.environment = Environment(user_classes=[_schedule_user(dispatch)], host=host, catch_exceptions=False)
        events = self.environment.events
        events.user_error.add_listener(lambda exception, **_: on_error(exception))  # type: ignore[no-untyped-call]
        self._runner = self.environment.create_local_runner()

    def start(self) -> None:
        """Spawn the user; `dispatch` runs in it from now on."""
        self._runner.start(1, spawn_rate=1)

    def told(self, name: str, outcome: Outcome, started_ns: int | None, response_length: int) -> None:
        """Fire Locust's request event, on the actual clock as Locust has it. What was never sent is not told."""
        if started_ns is None or outcome.ended_ns is None:
            return
        bad = outcome.result in BAD_RESULTS
        self.environment.events.request.fire(  # type: ignore[no-untyped-call]
            request_type="POST",
            name=name,
            response_time=(outcome.ended_ns - started_ns) / 1e6,
            response_length=response_length,
            exception=RequestFailed(str(outcome.error_kind or outcome.result)) if bad else None,
            context={},
            start_time=time.time() - (outcome.ended_ns - started_ns) / 1e9,
            url=None,
            response=None,
        )

    def stop(self) -> None:
        """Stop the user, and the runner's own greenlets."""
        self._runner.quit()
        self.environment.events.quitting.fire(environment=self.environment)  # type: ignore[no-untyped-call]


def _schedule_user(dispatch: Callable[[], None]) -> type[User]:
    class ScheduleUser(User):
        """The one user of a worker: sends every arrival of its schedule, then stops."""

        @task
        def send_schedule(self) -> None:
            dispatch()
            raise StopUser

    return ScheduleUser
