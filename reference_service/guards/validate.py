"""Is it a question at all: size, JSON, types, 5000 characters, trimmed."""

import math
from typing import NoReturn

import msgspec

from reference_service.errors import InvalidRequest
from reference_service.settings import Settings
from reference_service.turn import Question, Turn, Utterance

ROLES = frozenset({"system", "user", "assistant"})
AUTO = "auto"


class Validate:
    """Sets `question`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models = frozenset(settings.prices) | {AUTO}

    async def __call__(self, turn: Turn) -> None:
        """Raise InvalidRequest, naming the field."""
        body = parse_object(await turn.read_body(), max_depth=self._settings.json_max_depth)
        turn.question = self.question(body)

    def question(self, body: dict[str, object]) -> Question:
        """Return the question that a parsed body asks. Raises InvalidRequest."""
        model = body.get("model", AUTO)
        if not isinstance(model, str):
            _refuse("model must be a string", "model")
        if model not in self._models:
            raise InvalidRequest("This model does not exist or has no price.", code="model_not_found", param="model", status=404)
        stream, options = body.get("stream", False), body.get("stream_options")
        if not isinstance(stream, bool):
            _refuse("stream must be true or false", "stream")
        if options is not None and not isinstance(options, dict):
            _refuse("stream_options must be an object", "stream_options")
        include_usage = options.get("include_usage", False) if options else False
        if not isinstance(include_usage, bool):
            _refuse("stream_options.include_usage must be true or false", "stream_options")
        temperature = _number(body, "temperature", low=0.0, high=2.0)
        top_p = _number(body, "top_p", low=0.0, high=1.0)
        if whole_number(body.get("n", 1)) != 1:
            _refuse("n must be 1", "n")
        parameters = {name: value for name, value in (("temperature", temperature), ("top_p", top_p)) if value is not None}
        return Question(
            messages=self._messages(body.get("messages")),
            model=model,
            stream=stream,
            include_usage=include_usage,
            max_tokens=_max_tokens(body),
            temperature=temperature,
            parameters=parameters,
        )

    def _messages(self, value: object) -> tuple[Utterance, ...]:
        s = self._settings
        if not isinstance(value, list) or not value:
            _refuse("messages must be a list with at least one message", "messages")
        if len(value) > s.conversation_max_messages:
            _refuse(f"messages may hold at most {s.conversation_max_messages} messages", "messages")
        said = tuple(self._utterance(one, f"messages[{i}]") for i, one in enumerate(value))
        if said[-1].role != "user":
            _refuse("the last message must be the user's", "messages")
        return said

    def _utterance(self, value: object, where: str) -> Utterance:
        if not isinstance(value, dict):
            _refuse(f"{where} must be an object", where)
        role, content = value.get("role"), value.get("content")
        if not isinstance(role, str) or role not in ROLES:
            _refuse(f"{where}.role must be one of system, user, assistant", f"{where}.role")
        if isinstance(content, list):
            content = _joined_parts(content, where)
        if not isinstance(content, str):
            _refuse(f"{where}.content must be a string", f"{where}.content")
        return Utterance(
            role=role, content=clean_text(content, f"{where}.content", max_characters=self._settings.message_max_characters)
        )


def parse_object(raw: bytes, *, max_depth: int) -> dict[str, object]:
    """Return the JSON object in `raw`. Raises InvalidRequest on anything else, deep nesting included."""
    if not _is_shallow(raw, max_depth):
        raise InvalidRequest(f"The body is nested deeper than {max_depth} levels.", code="too_deep")
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from error
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.", code="invalid_json")
    return value


def clean_text(text: str, where: str, *, max_characters: int) -> str:
    """Return the trimmed text. Raises InvalidRequest when it is empty, too long, or cannot be stored as text."""
    text = text.strip()
    if not text:
        raise InvalidRequest(f"{where} is empty", code="empty_message", param=where)
    if len(text) > max_characters:
        raise InvalidRequest(f"{where} is longer than {max_characters} characters", code="message_too_long", param=where)
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidRequest(f"{where} has a character that is not text", code="invalid_text", param=where)
    return text


def whole_number(value: object) -> int | None:
    """Return the whole number that a JSON value is, or None: 2.0 is one in JSON, which has no integers; true is none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _joined_parts(parts: list[object], where: str) -> str:
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            _refuse(f"{where}.content may hold text parts only", f"{where}.content")
        texts.append(text)
    return "".join(texts)


def _max_tokens(body: dict[str, object]) -> int | None:
    """Return the smaller of both spellings, or None."""
    given = []
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if value is None:
            continue
        number = whole_number(value)
        if number is None or number < 1:
            _refuse(f"{name} must be a whole number of at least 1", name)
        given.append(number)
    return min(given, default=None)


def _number(body: dict[str, object], name: str, *, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not low <= value <= high:
        _refuse(f"{name} must be a number from {low:g} to {high:g}", name)
    return float(value)


def _is_shallow(raw: bytes, max_depth: int) -> bool:
    """Return whether brackets outside strings nest at most `max_depth` deep; most bodies are decided by counting."""
    if raw.count(b"[") + raw.count(b"{") <= max_depth:
        return True
    depth, in_string, escaped = 0, False, False
    for byte in raw:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            depth += 1
            if depth > max_depth:
                return False
        elif byte in (0x5D, 0x7D):
            depth -= 1
    return True


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
