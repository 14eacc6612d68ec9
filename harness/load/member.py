"""A worker's side of the conversation with Locust's master."""

import secrets
import socket
import time
from typing import Any, TypeVar

import gevent
from gevent.event import AsyncResult

from harness import __version__
from harness.errors import LoadError
from harness.load import messages
from harness.load.seal import Seal

T = TypeVar("T")
CLOCK_QUESTIONS = 24
WELCOME_WITHIN_S = 10.0


class Member:
    """What one worker says and hears. runner: Locust's worker runner, connected.

    on_stop: what to do when the master calls the run off.
    """

    def __init__(self, runner: Any, seal: Seal, *, on_stop: Any) -> None:
        self._runner = runner
        self._seal = seal
        self._own_nonce = secrets.token_hex(16)
        self._scope = self._own_nonce
        self._heard: dict[str, AsyncResult] = {}
        self._on_stop = on_stop
        for kind in (messages.WELCOME, messages.CLOCK, messages.GO, messages.KEPT):
            self._heard[kind] = AsyncResult()
            runner.register_message(kind, self._hear)
        runner.register_message(messages.STOP, self._hear_stop)

    def hello(self, worker: int | None) -> messages.Welcome:
        """Ask to be let in. Raises LoadError where the master refuses, or is not one of this run."""
        said = messages.Hello(nonce=self._own_nonce, worker=worker, host=socket.gethostname(), version=__version__)
        self._runner.send_message(messages.HELLO, self._seal.close(f"{messages.HELLO}/{self._runner.client_id}", said))
        try:
            welcome = self._wait(messages.WELCOME, messages.Welcome, WELCOME_WITHIN_S)
        except gevent.Timeout:
            raise LoadError(
                "the master did not let this worker in",
                advice="both need the same token: HARNESS_WORKER_TOKEN, or --token-file",
            ) from None
        if welcome.refused is not None:
            raise LoadError(f"the master refused this worker: {welcome.refused}")
        self._scope = f"{self._own_nonce}/{welcome.nonce}"
        return welcome

    def clock_offset(self) -> messages.ClockOffset:
        """Ask the master's clock; return the offset of the quickest answer, bounded by half of its round trip."""
        best: messages.ClockOffset | None = None
        for _ in range(CLOCK_QUESTIONS):
            self._heard[messages.CLOCK] = AsyncResult()
            asked_ns = time.monotonic_ns()
            self.say(messages.CLOCK, messages.Clock(asked_ns=asked_ns))
            try:
                told = self._wait(messages.CLOCK, messages.Clock, 2.0)
            except gevent.Timeout:
                continue
            now_ns = time.monotonic_ns()
            found = offset_of(told, now_ns)
            if told.asked_ns == asked_ns and (best is None or found.uncertainty_ns < best.uncertainty_ns):
                best = found
            gevent.sleep(0.005)
        if best is None:
            raise LoadError("the master did not tell its clock")
        return best

    def say(self, kind: str, value: object) -> None:
        """Tell the master."""
        self._runner.send_message(kind, self._seal.close(self._scoped(kind), value))

    def say_bytes(self, kind: str, head: str, data: bytes) -> None:
        """Tell the master bytes. head: what they are."""
        self._runner.send_message(kind, [head, self._seal.close_bytes(f"{self._scoped(kind)}/{head}", data)])

    def zero_ns(self, timeout_s: float | None = None) -> int | None:
        """Wait for the run's zero, on the master's clock; None where the run was called off."""
        try:
            return self._wait(messages.GO, messages.Start, timeout_s).zero_master_ns
        except LoadError:
            if self._heard[messages.GO].value is None:
                return None
            raise

    def kept(self, within_s: float) -> bool:
        """Wait until the master says that it has all that it was told."""
        try:
            self._wait(messages.KEPT, messages.Empty, within_s)
        except (gevent.Timeout, LoadError):
            return False
        return True

    def call_off(self) -> None:
        """Wait for no zero any more."""
        if not self._heard[messages.GO].ready():
            self._heard[messages.GO].set(None)

    def _wait(self, kind: str, type_: type[T], timeout_s: float | None) -> T:
        data = self._heard[kind].get(timeout=timeout_s)
        return self._seal.open(self._scoped(kind), data, type_)

    def _scoped(self, kind: str) -> str:
        return f"{kind}/{self._runner.client_id}/{self._scope}"

    def _hear(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 - Locust's signature
        heard = self._heard.get(msg.type)
        if heard is not None and not heard.ready():
            heard.set(msg.data)

    def _hear_stop(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 - Locust's signature
        try:
            self._seal.open(self._scoped(messages.STOP), msg.data, messages.Empty)
        except LoadError:
            return  # anybody can send bytes; only the master's word ends a run
        self.call_off()
        self._on_stop()


def offset_of(told: messages.Clock, now_ns: int) -> messages.ClockOffset:
    """Return what one answer says: the worker's clock less the master's, and the most it can be wrong by.

    The master's stamps lie somewhere between asking and hearing; half of what the network took is the bound.
    """
    out_ns, back_ns = told.received_ns - told.asked_ns, told.answered_ns - now_ns
    under_way_ns = (now_ns - told.asked_ns) - (told.answered_ns - told.received_ns)
    return messages.ClockOffset(offset_ns=-(out_ns + back_ns) // 2, uncertainty_ns=(max(under_way_ns, 0) + 1) // 2)
