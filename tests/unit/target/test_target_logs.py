from pathlib import Path

from harness.target.supervise.logs import Mask, announced, last_lines


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert Mask.of(["abc", "abcdef", ""])("x abcdef y abc z") == "x *** y *** z"


def test_a_mask_does_not_show_its_secrets() -> None:
    assert "hunter2" not in repr(Mask.of(["hunter2"]))


def test_the_last_lines_are_masked_and_blank_ones_left_out(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("first\n\nsecond with sk-1\n   \nthird\n")
    assert last_lines(log, Mask.of(["sk-1"]), count=2) == ("second with ***", "third")


def test_a_log_that_is_not_there_has_no_last_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "absent.log", Mask()) == ()


def test_a_line_without_end_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("x" * 10_000)
    (line,) = last_lines(log, Mask())
    assert len(line) == 400


def test_readiness_is_the_whole_json_line_after_the_given_place(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    earlier = '{"event": "ready", "listen": "old"}\n'
    log.write_text(earlier + "a warning\n{broken\n[1]\n" + '{"event": "starting"}\n{"event": "ready", "listen": "new"')
    assert announced(log, "ready", after=len(earlier)) is None
    with log.open("a") as file:
        file.write("}\n")
    assert announced(log, "ready", after=len(earlier)) == {"event": "ready", "listen": "new"}
    assert announced(log, "ready", after=0) == {"event": "ready", "listen": "old"}


def test_nothing_is_announced_in_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert announced(tmp_path / "absent.log", "ready", after=0) is None
