"""The bytes that each arrival sends, put together from parts that are made before the start."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import LoadError
from harness.exchange import Destination, chat_body, filler, finish_request, plain_body, request_head
from harness.load.schedule import Request, Schedule
from harness.model.assignment import Assignment
from harness.model.plan import PlainRequest, Protocol

_NUMBER = b"{n}"
_WORDS = "{words}"
_BYTES_A_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What is the same for every request of one kind. body: between its parts stands the request's number."""

    destination: tuple[str, str, bool]  # method, path, streamed
    body: Sequence[bytes]


class Wording:
    """Heads by principal and bodies by kind of request; only number and length are filled in at the send.

    Raises LoadError where a principal of the schedule has no key, ConfigurationError on a key that HTTP cannot carry.
    all_principals: every one of them will ask, also those that no arrival names yet.
    """

    def __init__(
        self, schedule: Schedule, assignment: Assignment, *, host: str, run_id: str, all_principals: bool = False
    ) -> None:
        self._schedule = schedule
        self._assignment = assignment
        self._host = host
        self._id_prefix = request_id_prefix(run_id)
        self._kinds: list[_Kind] = []
        self._heads: dict[tuple[int, tuple[str, str, bool]], bytes] = {}
        self._said: dict[int, list[dict[str, str]]] = {}
        for number in range(len(schedule.principals)) if all_principals else sorted(set(schedule.principal)):
            self._destination(number, ("POST", assignment.chat_path, False))
        self._make_kinds()

    def request_id(self, index: int) -> str:
        """Return the id that the arrival at this place of the schedule carries."""
        return f"{self._id_prefix}{self._schedule.seq[index]}"

    def request(self, index: int) -> bytes:
        """Return the whole request of the arrival at this place of the schedule."""
        schedule = self._schedule
        number = schedule.request[index]
        if number >= len(self._kinds):
            self._make_kinds()
        kind = self._kinds[number]
        key = (schedule.principal[index], kind.destination)
        head = self._heads.get(key)
        if head is None:
            head = self._heads[key] = request_head(
                self._destination(*key), streamed=kind.destination[2], method=kind.destination[0]
            )
        if schedule.turn[index] > 1 or schedule.prompt_tokens[index] >= 0 or schedule.max_tokens[index] >= 0:
            body = self._own_body(index, schedule.requests[number])
        else:
            body = (b"%d" % schedule.seq[index]).join(kind.body)
        return finish_request(head, self.request_id(index), body)

    def goes_on(self, index: int, following: int, answer: str) -> None:
        """Remember what was said until the turn at `following`: the question at `index` and its answer."""
        said = self._said.pop(index, [])
        self._said[following] = [
            *said,
            {"role": "user", "content": self._prompt(index)},
            {"role": "assistant", "content": answer},
        ]

    def ends(self, index: int) -> None:
        """Forget what was said in a conversation that comes to no further turn."""
        self._said.pop(index, None)

    def _prompt(self, index: int) -> str:
        schedule = self._schedule
        request = schedule.requests[schedule.request[index]]
        turn = schedule.turn[index]
        template = request.follow_ups[turn - 2] if turn > 1 else request.prompt
        prompt = template.replace("{n}", str(schedule.seq[index]))
        tokens = schedule.prompt_tokens[index]
        if tokens < 0:
            return prompt
        if _WORDS not in prompt:
            prompt = f"{prompt} {_WORDS}"
        short = tokens * _BYTES_A_TOKEN - (len(prompt.encode("utf-8", "surrogatepass")) - len(_WORDS))
        return prompt.replace(_WORDS, filler(schedule.seq[index], max(short, 0)), 1)

    def _own_body(self, index: int, request: Request) -> bytes:
        user_class, asked = request.user_class, self._schedule.max_tokens[index]
        prompt = self._prompt(index)
        if user_class.protocol is not Protocol.OPENAI_CHAT:
            template = self._plain(request)
            most = asked if asked >= 0 else user_class.max_tokens
            whole = plain_body(template, prompt, model=self._model(request), max_tokens=most)
            return whole.replace(_NUMBER, b"%d" % self._schedule.seq[index])
        return chat_body(
            prompt=prompt,
            before=self._said.get(index, ()),
            streamed=request.streamed,
            model=self._model(request),
            max_tokens=asked if asked >= 0 else user_class.max_tokens,
        )

    def _make_kinds(self) -> None:
        for request in self._schedule.requests[len(self._kinds) :]:
            if request.user_class.protocol is Protocol.OPENAI_CHAT:
                destination = ("POST", self._assignment.chat_path, request.streamed)
                # The JSON of a prompt keeps `{n}` as it is, so the number can be put in after the encoding.
                body = chat_body(
                    prompt=request.prompt,
                    streamed=request.streamed,
                    model=self._model(request),
                    max_tokens=request.user_class.max_tokens,
                )
            else:
                plain = self._plain(request)
                destination = (plain.method, plain.path, False)
                most = request.user_class.max_tokens
                body = plain_body(plain, request.prompt, model=self._model(request), max_tokens=most)
            self._kinds.append(_Kind(destination=destination, body=body.split(_NUMBER)))

    def _plain(self, request: Request) -> PlainRequest:
        user_class = request.user_class
        if user_class.plain is not None:
            return user_class.plain
        if user_class.protocol is Protocol.MESSAGE:
            return PlainRequest(path="/message", body='{"messages": [{"role": "user", "content": "{prompt}"}]}')
        return PlainRequest(method="GET")

    def _model(self, request: Request) -> str | None:
        model = request.user_class.model
        return self._assignment.model_names.get(model or "", model)

    def _destination(self, principal: int, to: tuple[str, str, bool]) -> Destination:
        name, assignment = self._schedule.principals[principal], self._assignment
        key = assignment.keys.get(name)
        if key is None:
            raise LoadError(f"there is no key for {name}", advice="the target must provide a key for every principal of the plan")
        return Destination(
            host=self._host,
            path=to[1],
            auth_header=assignment.auth_header,
            auth_value=assignment.auth_value.replace("${key}", key),
        )


def request_id_prefix(run_id: str) -> str:
    """Return what the request ids of a run start with: the last eight letters and digits of its id, and a dash."""
    return "".join(c for c in run_id if c.isascii() and c.isalnum())[-8:] + "-"
