"""What a request asked and was answered, beside where its time went: for who names that one request."""

from dataclasses import replace
from pathlib import Path

from test_explain_spans import explained

from harness.cli.explain_text import explanation_text
from harness.explain import Explained, Explanation
from harness.rundir.exchanges import KeptExchange, kept_exchanges

KEPT = KeptExchange(
    seq=7,
    request="POST /chat HTTP/1.1\r\nAuthorization: Bearer ***\r\n\r\n{}",
    response="data: \x1b[31mred\n\ndone",
    response_bytes=17,
)


def told(*requests: Explained) -> str:
    return explanation_text([Explanation(judgement=None, noun="request", found=1, of=1, sentences=(), requests=requests)])


def test_the_exchange_is_told_line_by_line_and_a_terminal_escape_of_the_answer_is_written_out() -> None:
    text = told(replace(explained(7, []), exchange=KEPT))
    assert "Authorization: Bearer ***" in text
    assert "answered, 17 bytes:" in text
    assert "data: \\x1b[31mred" in text
    assert "\x1b" not in text


def test_a_request_that_counts_against_several_results_is_shown_whole_once() -> None:
    one = Explanation(judgement=None, noun="request", found=1, of=1, sentences=("first",), requests=(explained(7, []),))
    text = explanation_text([one, replace(one, sentences=("second",), requests=(explained(7, []), explained(8, [])))])
    assert text.count("request 7 (") == 1
    assert "shown above: request 7" in text.partition("second")[2]
    assert "request 8 (" in text.partition("second")[2]


def test_time_without_a_call_is_not_called_zero_upstream() -> None:
    text = told(explained(7, []))
    assert "no call upstream for" in text
    assert "upstream 0" not in text


def test_a_request_of_which_none_was_kept_says_so() -> None:
    assert "was not kept" in told(explained(7, []))


def test_only_whole_lines_of_the_requests_that_are_asked_for_are_read(tmp_path: Path) -> None:
    (tmp_path / "exchanges").mkdir()
    line = '{"seq": %d, "request": "a", "response": "b", "response_bytes": 1, "more": null}\n'
    (tmp_path / "exchanges" / "worker-000.jsonl").write_text("".join(line % seq for seq in (1, 7)) + '{"seq": 8, "requ')
    (tmp_path / "exchanges" / "worker-001.jsonl").write_text("[1]\nnonsense\n" + line % 9)
    assert sorted(kept_exchanges(tmp_path, {7, 8, 9})) == [7, 9]
    assert kept_exchanges(tmp_path, ()) == {}
    assert kept_exchanges(tmp_path / "absent", {7}) == {}
