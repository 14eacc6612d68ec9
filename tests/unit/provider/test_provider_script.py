import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.simulated import SIMULATED_MODELS
from harness.provider.draft import Draft, Operation
from harness.provider.faults import KINDS
from harness.provider.faults.base import FaultSpec, ProviderFault
from harness.provider.faults.checking import checked
from harness.provider.faults.trigger import Trigger
from harness.provider.openai import render
from harness.provider.script import Body, Kind, Tokens


def draft(words=("one ", "two ", "three "), *, streamed=True, **rest):
    values = {
        "call_id": "primary-1", "operation": Operation.CHAT, "model": SIMULATED_MODELS["sim-small"], "streamed": streamed,
        "chunked": True, "include_usage": True, "max_tokens": None, "active": 1, "prompt_tokens": 2,
        "words": tuple(words), "finish_reason": "stop", "first_wait_ns": 300, "gap_ns": 5, "created_s": 0,
        "shown_model": "sim-small",
    }  # fmt: skip
    return Draft(**{**values, **rest})


def fault(kind, **parameters):
    cls = KINDS[kind]
    spec = FaultSpec(id="f", endpoint="primary", kind=kind, parameters=checked(parameters, cls.PARAMETERS, "parameters"))
    return cls(spec, Trigger({}, seed=1, set_ns=0))


def sent(script):
    return b"".join(data for _, data, _, _ in script.steps())


def test_a_stream_is_paced_from_its_first_token():
    waits = [wait for wait, _, kind, _ in render(draft()).steps() if kind is Kind.TOKEN]
    assert waits == [300, 5, 5]


def test_a_whole_answer_waits_as_long_as_its_stream():
    (step,) = render(draft(streamed=False)).steps()
    assert step[0] == 310
    assert json.loads(step[1].partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] == "one two three "


@pytest.mark.parametrize(("elapsed_ns", "tokens"), [(0, 0), (299, 0), (300, 1), (304, 1), (305, 2), (310, 3), (10**12, 3)])
def test_a_client_that_leaves_a_whole_answer_owes_the_tokens_so_far(elapsed_ns, tokens):
    (body,) = render(draft(streamed=False)).parts
    assert isinstance(body, Body)
    assert body.generated(elapsed_ns) == tokens


@given(st.integers(1, 30), st.integers(0, 40))
def test_splitting_a_stream_changes_no_byte_and_no_wait(length, at):
    words = [f"w{number} " for number in range(length)]
    whole, split = render(draft(words)), render(draft(words))
    index = split.after_content(at)
    assert (index is None) is (at > length)
    assert sent(split) == sent(whole)
    assert [step[0] for step in split.steps()] == [step[0] for step in whole.steps()]
    if index is not None:
        before = [part for part in split.parts[:index] if isinstance(part, Tokens)]
        assert sum(len(part.words) for part in before) == at


@given(st.integers(1, 8), st.integers(0, 8))
def test_splitting_twice_counts_from_the_beginning(length, at):
    script = render(draft([f"w{number} " for number in range(length)]))
    script.after_content(length // 2)
    index = script.after_content(at)
    if index is not None:
        before = [part for part in script.parts[:index] if isinstance(part, Tokens)]
        assert sum(len(part.words) for part in before) == at


def test_words_with_quotes_and_controls_stay_whole_json():
    words = ('say "hi"\n', "\x1b[2J", "ü ", "\u202e")
    events = [part for part in sent(render(draft(words))).split(b"\r\n") if part.startswith(b"data: {")]
    contents = [json.loads(event[6:])["choices"][0]["delta"].get("content") for event in events[1:5]]
    assert contents == list(words)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("streamed", [True, False])
def test_every_fault_that_changes_what_is_sent_says_that_it_acted(kind, streamed):
    of = fault(kind, **({"knee": 0} if kind == "brown_out" else {}))
    edited = draft([f"w{number} " for number in range(12)], streamed=streamed)
    healthy = sent(render(edited))
    if kind in ("overload", "rate_limit"):
        for number in range(10):
            of.edit_draft(draft(call_id=str(number)))
    of.edit_draft(edited)
    script = render(edited)
    of.edit_script(script)
    touched = any(step[2] in (Kind.MARK, Kind.HOLD) for step in script.steps())
    changed = sent(script) != healthy
    if changed:
        assert touched
    if not streamed and kind in ("missing_done", "duplicate_chunks"):
        assert not touched
    else:
        assert touched


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_documents_each_parameter_and_its_defaults_are_within_its_own_range(kind):
    cls = KINDS[kind]
    assert issubclass(cls, ProviderFault)
    assert cls.__doc__
    values = checked({}, cls.PARAMETERS, "parameters")
    for parameter in cls.PARAMETERS:
        assert parameter.doc
        assert not parameter.name.endswith(("_ms", "_s")) or parameter.unit
        assert parameter.default is None or values[parameter.name] == parameter.default


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (None, "one two three "),
        ("missing_usage", "one two three "),
        ("leak_pii", None),
        ("duplicate_chunks", None),
        ("empty_choices", None),
    ],
)
def test_what_a_client_reads_is_known_unless_a_fault_makes_it_another_text(kind, text):
    answer = draft()
    if kind is not None:
        fault(kind).edit_draft(answer)
    if kind == "leak_pii":  # what it plants is said, and read
        assert answer.text() == "".join(answer.words) != "one two three "
    else:
        assert answer.text() == text


def test_a_rate_limit_counts_anew_in_each_window_and_says_how_long_this_one_is(monkeypatch):
    now_s = [100.0]
    monkeypatch.setattr("harness.provider.faults.rate_limit.time.monotonic_ns", lambda: round(now_s[0] * 1e9))
    of = fault("rate_limit", calls=2, window_s=10.0)

    def asked_at(second):
        now_s[0] = second
        asked = draft(["w "])
        of.edit_draft(asked)
        return None if asked.refusal is None else dict(asked.refusal.headers)["retry-after"]

    # The first window begins with the first call; nothing is carried over from one that was not used up.
    assert [asked_at(second) for second in (100, 101, 101, 109.5, 110, 119, 119, 145, 146, 149.5)] == [
        None, None, "9", "1", None, None, "1", None, None, "1",
    ]  # fmt: skip
