"""The bytes that each arrival sends, put together from parts that are made before the start."""

from collections.abc import Mapping

from harness.errors import LoadError
from harness.exchange import Destination, chat_body, finish_request, request_head
from harness.load.schedule import Schedule
from harness.model.assignment import Assignment

_NUMBER = b"{n}"


class Wording:
    """Heads by principal and bodies by kind of request; only number and length are filled in at the send.

    Raises LoadError where a principal of the schedule has no key, ConfigurationError on a key that HTTP cannot carry.
    """

    def __init__(self, schedule: Schedule, assignment: Assignment, *, host: str, run_id: str) -> None:
        self._schedule = schedule
        self._heads = [_heads(name, assignment, host) if name is not None else None for name in _used_principals(schedule)]
        # The JSON of a prompt keeps `{n}` as it is, so the number can be put in after the encoding.
        self._bodies = [
            chat_body(
                prompt=request.prompt,
                streamed=request.streamed,
                model=assignment.model_names.get(request.user_class.model or "", request.user_class.model),
                max_tokens=request.user_class.max_tokens,
            ).split(_NUMBER)
            for request in schedule.requests
        ]
        self._streamed = [request.streamed for request in schedule.requests]
        self._id_prefix = request_id_prefix(run_id)

    def request_id(self, index: int) -> str:
        """Return the id that the arrival at this place of the schedule carries."""
        return f"{self._id_prefix}{self._schedule.seq[index]}"

    def request(self, index: int) -> bytes:
        """Return the whole request of the arrival at this place of the schedule."""
        schedule = self._schedule
        number = schedule.request[index]
        heads = self._heads[schedule.principal[index]]
        assert heads is not None
        body = (b"%d" % schedule.seq[index]).join(self._bodies[number])
        return finish_request(heads[self._streamed[number]], self.request_id(index), body)


def request_id_prefix(run_id: str) -> str:
    """Return what the request ids of a run start with: the last eight letters and digits of its id, and a dash."""
    return "".join(c for c in run_id if c.isascii() and c.isalnum())[-8:] + "-"


def _used_principals(schedule: Schedule) -> list[str | None]:
    used = set(schedule.principal)
    return [name if number in used else None for number, name in enumerate(schedule.principals)]


def _heads(principal: str, assignment: Assignment, host: str) -> Mapping[bool, bytes]:
    key = assignment.keys.get(principal)
    if key is None:
        raise LoadError(
            f"there is no key for {principal}", advice="the target must provide a key for every principal of the plan"
        )
    destination = Destination(
        host=host,
        path=assignment.chat_path,
        auth_header=assignment.auth_header,
        auth_value=assignment.auth_value.replace("${key}", key),
    )
    return {streamed: request_head(destination, streamed=streamed) for streamed in (False, True)}
