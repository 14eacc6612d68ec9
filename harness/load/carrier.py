"""Locust's part: an environment, a runner and one user that holds the whole schedule.

Locust's import patches the process (`gevent.monkey`). No web UI, no arguments read, no statistics printed, no signal
handler taken.
"""

import argparse
import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
from locust import User, task
from locust.env import Environment
from locust.event import EventHook, Events
from locust.exception import StopUser

from harness.errors import LoadError
from harness.exchange import Outcome
from harness.model.outcome import BAD_RESULTS


class RequestFailed(Exception):  # noqa: N818 - Locust's users read its text in their statistics
    """What Locust's listeners get as the exception of a bad request."""


class _Told(EventHook):
    """Locust's request event, which knows how many listen."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.listeners = 0

    def add_listener(self, handler: Any) -> Any:
        self.listeners += 1
        return super().add_listener(handler)  # type: ignore[no-untyped-call]


class Carrier:
    """Runs one function as Locust's user, and tells Locust's listeners of each request.

    on_error: what to do where `dispatch` raises; Locust by itself would log it and start the schedule again.
    master: host and port of Locust's master, which then spawns the user; None: a local runner does.
    Raises LoadError where there is no master within `max_wait_s`.
    """

    def __init__(
        self,
        dispatch: Callable[[], None],
        *,
        host: str,
        on_error: Callable[[Exception], None],
        master: tuple[str, int] | None = None,
        max_wait_s: float = 30.0,
    ) -> None:
        logging.getLogger("locust").addHandler(logging.NullHandler())
        self._told = _Told()
        events = Events()  # type: ignore[no-untyped-call]
        events.request = self._told
        self.environment = Environment(user_classes=[schedule_user(dispatch)], host=host, catch_exceptions=False, events=events)
        events.user_error.add_listener(lambda exception, **_: on_error(exception))  # type: ignore[no-untyped-call]
        self._is_local = master is None
        self.runner: Any = self.environment.create_local_runner() if master is None else self._join(master, max_wait_s)
        self._own_listeners = self._told.listeners if self._is_local else -1

    def start(self) -> None:
        """Spawn the user; `dispatch` runs in it from now on. A master does it by itself."""
        if self._is_local:
            self.runner.start(1, spawn_rate=1)

    @property
    def is_heard(self) -> bool:
        """False where nobody would hear what is told: no master, no listener but the statistics that only a master asks for."""
        return self._told.listeners != self._own_listeners

    def told(self, name: str, outcome: Outcome, started_ns: int | None, response_length: int) -> None:
        """Fire Locust's request event, on the actual clock as Locust has it. What was never sent is not told."""
        if not self.is_heard or started_ns is None or outcome.ended_ns is None:
            return
        bad = outcome.result in BAD_RESULTS
        self._told.fire(  # type: ignore[no-untyped-call]
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
        """Stop the user and, where there is no master to talk to, the runner's own greenlets."""
        if not self._is_local:
            self.runner.stop()
            return
        self.leave()

    def leave(self) -> None:
        """End the runner, and the conversation with a master."""
        self.runner.quit()
        self.environment.events.quitting.fire(environment=self.environment)  # type: ignore[no-untyped-call]

    def _join(self, master: tuple[str, int], max_wait_s: float) -> Any:
        # Locust would else read its configuration files and LOCUST_* variables at the first order of its master.
        self.environment.parsed_options = argparse.Namespace(
            web_base_path="", headless=True, enable_rebalancing=False, tags=None, exclude_tags=None
        )
        try:
            with gevent.Timeout(max_wait_s):
                return self.environment.create_worker_runner(*master)
        except (gevent.Timeout, OSError) as error:
            raise LoadError(
                f"there is no master at {master[0]}:{master[1]} (waited {max_wait_s:.0f} s)",
                advice="start `harness run --expect-workers N --bind HOST:PORT` there, and look at firewalls between the two",
            ) from error


def schedule_user(dispatch: Callable[[], None]) -> type[User]:
    """Return Locust's user class that runs `dispatch` once; master and workers know it by its name."""
    begun: list[bool] = []

    class ScheduleUser(User):
        """The one user of a worker: sends every arrival of its schedule, then stops."""

        @task
        def send_schedule(self) -> None:
            if not begun:  # a master that rebalances spawns a second one: nothing is ever sent twice
                begun.append(True)
                dispatch()
            raise StopUser

    return ScheduleUser
