"""Bodies and addresses: hostile ones are refused by name, never by a traceback."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.faultproxy.address import checked_upstream, joined, split_address
from harness.faultproxy.document import field, mapping, parse, sequence
from harness.faultproxy.failure import ApiError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def refusal(read: Callable[[], object]) -> ApiError | None:
    """Return how a reading is refused, None where it is not."""
    try:
        read()
    except ApiError as error:
        return error
    return None


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_a_refusal(body: bytes) -> None:
    refused = refusal(lambda: parse(body))
    assert refused is None or refused.message.startswith("bad request body: ")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": NaN}', b"\xff", b"1" * 5000, b'"\\ud800"'])
def test_hostile_bodies_do_not_escape(body: bytes) -> None:
    refused = refusal(lambda: parse(body))
    assert refused is None or refused.status == 400


@given(JSON, st.sampled_from(["", True, 1.0]))
def test_a_field_has_the_type_of_its_default_or_is_refused(value: object, default: str | bool | float) -> None:
    document = mapping({"Name": value}, "it")
    refused = refusal(lambda: field(document, "name", default))
    if refused is None:
        assert field(document, "name", default) == (default if value is None else value)
    else:
        assert "allowed: " in refused.message


def test_what_follows_the_first_value_is_left_alone() -> None:
    assert parse(b' {"a": 1} {"b": 2}') == {"a": 1}


@pytest.mark.parametrize("value", [1, "x", []])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(ApiError, match="allowed: an object"):
        mapping(value, "the proxy")


@pytest.mark.parametrize("value", [1, "x", {}])
def test_what_is_no_array_is_refused(value: object) -> None:
    with pytest.raises(ApiError, match="allowed: an array"):
        sequence(json.loads(json.dumps(value)), "toxics")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        (":8080", ("", 8080)),
        ("[::1]:80", ("::1", 80)),
        ("db.internal:5432", ("db.internal", 5432)),
    ],
)
def test_addresses_are_read_as_go_reads_them(text: str, address: tuple[str, int]) -> None:
    assert split_address(text) == address


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4", "::1:80", "[::1", "[::1]80", "a:b", "a:65536", "a:-1", "a:٣"])
def test_addresses_that_go_refuses_are_refused(text: str) -> None:
    with pytest.raises(ApiError):
        split_address(text)
    with pytest.raises(ApiError, match="allowed: host:port"):
        checked_upstream(text)


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    assert (joined("::1", 80), joined("127.0.0.1", 80)) == ("[::1]:80", "127.0.0.1:80")
