import json

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ConfigurationError
from harness.exchange import Destination, chat_request


def parsed(data: bytes) -> tuple[dict[str, str], dict[str, object]]:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    head, body = connection.next_event(), connection.next_event()
    assert isinstance(head, h11.Request)
    assert isinstance(body, h11.Data)
    assert isinstance(connection.next_event(), h11.EndOfMessage)
    assert connection.next_event() is h11.PAUSED or connection.trailing_data == (b"", False)
    assert (head.method, head.target) == (b"POST", b"/v1/chat/completions")
    return {name.decode(): value.decode("latin-1") for name, value in head.headers}, json.loads(bytes(body.data))


HERE = Destination(host="127.0.0.1:8000", auth_value="Bearer sk-1")


@settings(deadline=None)
@given(st.text())
def test_any_prompt_arrives_as_it_was_given(prompt: str) -> None:
    _, body = parsed(chat_request(HERE, request_id="r-1", prompt=prompt, streamed=False, model="m", max_tokens=5))
    assert body == {"model": "m", "messages": [{"role": "user", "content": prompt}], "max_tokens": 5, "stream": False}


def test_a_stream_asks_for_its_usage() -> None:
    headers, body = parsed(chat_request(HERE, request_id="r-1", prompt="hi", streamed=True))
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    assert headers["accept"] == "text/event-stream"
    assert "model" not in body
    assert "max_tokens" not in body


def test_the_head_says_who_asks_whom_and_under_which_number_and_takes_gzip_but_for_a_stream() -> None:
    headers, _ = parsed(chat_request(HERE, request_id="abc-7", prompt="hi", streamed=False))
    assert (headers["host"], headers["authorization"], headers["x-request-id"]) == ("127.0.0.1:8000", "Bearer sk-1", "abc-7")
    assert headers["accept-encoding"] == "gzip, identity"
    streamed, _ = parsed(chat_request(HERE, request_id="abc-8", prompt="hi", streamed=True))
    assert streamed["accept-encoding"] == "identity"


def test_another_header_can_carry_the_key_and_no_key_is_no_header() -> None:
    other, _ = parsed(
        chat_request(Destination(host="h", auth_header="api-key", auth_value="k"), request_id="1", prompt="", streamed=False)
    )
    assert (other["api-key"], "authorization" in other) == ("k", False)
    none, _ = parsed(chat_request(Destination(host="h"), request_id="1", prompt="", streamed=False))
    assert "authorization" not in none


@pytest.mark.parametrize("key", ["a\r\nx: y", "a\nb", "a\0b", "\u20ac"])
def test_a_key_that_would_break_the_head_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        chat_request(Destination(host="h", auth_value=key), request_id="1", prompt="", streamed=False)
    assert key not in str(caught.value)


def test_a_destination_does_not_show_its_key() -> None:
    assert "sk-1" not in repr(HERE)
