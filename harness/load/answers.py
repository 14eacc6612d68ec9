"""What waits for answers before it asks again: later turns of conversations, and users of a closed loop."""

from collections.abc import Callable, Sequence

import gevent
from gevent.hub import get_hub

from harness.exchange import Outcome, answer_text, never_answered
from harness.load.pool import Pool
from harness.load.schedule import Layout
from harness.load.wording import Wording
from harness.model.error_kind import ErrorKind
from harness.model.outcome import Result
from harness.model.plan import ArrivalProcess, ArrivalSegment
from harness.model.units import NS_PER_S


class Conversations:
    """Sends each turn when the answer before it has come and the user has thought.

    A turn's intended moment is that moment: it did not exist before. A turn that gets no answer ends its conversation,
    and the turns that never fell due are cancelled, not judged.
    """

    def __init__(self, layout: Layout, wording: Wording, pool: Pool) -> None:
        self._schedule = layout.schedule
        self._wording = wording
        self._pool = pool
        self.is_over = False

    def ended(self, index: int, outcome: Outcome) -> None:
        """Take the end of any request."""
        following = self._schedule.next_turn[index]
        if following < 0:
            if self._schedule.turn[index]:
                self._wording.ends(index)
            return
        if outcome.result is not Result.ANSWERED or outcome.ended_ns is None or self.is_over:
            self._break(index, stopped=self.is_over or outcome.result is Result.CANCELLED)
            return
        think_ns = self._schedule.requests[self._schedule.request[index]].user_class.think_ns
        self._schedule.move(following, outcome.ended_ns + think_ns)
        self._wording.goes_on(index, following, answer_text(outcome.body))
        gevent.spawn(self._send, following)

    def _send(self, index: int) -> None:
        # gevent counts from the loop's own idea of now, which is as old as its last turn: once is not always enough.
        while not self.is_over and (left_ns := self._schedule.intended_ns[index] - self._pool.now_ns()) > 0:
            gevent.sleep(left_ns / NS_PER_S)
        if not self.is_over:
            self._pool.ledger.due(1)
            self._pool.send(index)

    def _break(self, index: int, *, stopped: bool) -> None:
        self._wording.ends(index)
        if stopped:
            return  # the worker tells of all that was not sent when it closes
        following = self._schedule.next_turn[index]
        while following >= 0:
            place, following = following, self._schedule.next_turn[following]
            self._schedule.next_turn[place] = -1
            self._pool.ledger.ended(place, never_answered(ErrorKind.CONVERSATION_BROKEN, None), None, None)


class ClosedLoops:
    """Users who each ask, wait for the answer, think, and ask again. What they ask is intended when they ask it.

    now_ns: the run's clock. added: told of every row that is laid out.
    """

    def __init__(self, layout: Layout, pool: Pool, *, now_ns: Callable[[], int], added: Callable[[], None]) -> None:
        self._layout = layout
        self._pool = pool
        self._now_ns = now_ns
        self._added = added
        self._waiting: dict[int, tuple[ArrivalSegment, int]] = {}
        self._asked = 0
        self._asking: list[tuple[ArrivalSegment, int]] = []
        self._loop = get_hub().loop
        self.is_over = False

    def start(self, segments: Sequence[ArrivalSegment]) -> None:
        """Start the users of every closed segment; each begins with its segment."""
        for segment in segments:
            if segment.process is ArrivalProcess.CLOSED:
                for user in range(segment.users or 0):
                    gevent.spawn(self._ask_at, segment.start_ns, segment, user)

    def ended(self, index: int) -> None:
        """Take the end of any request: whose it was asks again, not before the loop has seen to the others."""
        asked = self._waiting.pop(index, None)
        if asked is None or self.is_over:
            return
        if asked[0].think_ns:
            gevent.spawn(self._ask_at, self._now_ns() + asked[0].think_ns, *asked)
        else:
            if not self._asking:
                self._loop.run_callback(self._ask_all)  # one for all whose answers came in this turn of the loop
            self._asking.append(asked)

    def _ask_at(self, at_ns: int, segment: ArrivalSegment, user: int) -> None:
        while not self.is_over and (left_ns := at_ns - self._now_ns()) > 0:
            gevent.sleep(left_ns / NS_PER_S)
        self._ask(segment, user)

    def _ask_all(self) -> None:
        asking, self._asking = self._asking, []
        for segment, user in asking:
            self._ask(segment, user)

    def _ask(self, segment: ArrivalSegment, user: int) -> None:
        now_ns = self._now_ns()
        if self.is_over or now_ns >= segment.end_ns:
            return
        try:
            principal = user % len(self._layout.schedule.principals)
            index = self._layout.add_closed(self._asked, intended_ns=now_ns, principal=principal)
            self._asked += 1
            self._added()
            self._waiting[index] = (segment, user)
            self._pool.ledger.due(1)
            self._pool.send(index)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must end the run: a user would be missing from it
            self._pool.ledger.broke(error)
