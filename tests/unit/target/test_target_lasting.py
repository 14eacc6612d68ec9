"""What servers say that outlive a run: each run is given its own part, once."""

from pathlib import Path

from harness.target.embedded.lasting import LastingLogs


def test_each_run_is_given_what_was_said_since_the_one_before(tmp_path: Path) -> None:
    stack, logs = tmp_path / "stack", LastingLogs(tmp_path / "stack")
    stack.mkdir()
    (stack / "redis.log").write_text("started\n")
    (stack / "keeper.log").touch()
    logs.give(tmp_path / "first")
    logs.give(tmp_path / "first")
    with (stack / "redis.log").open("a") as redis:
        redis.write("flushed\n")
    (stack / "postgres.log").write_text("ready\n")
    logs.give(tmp_path / "second")
    logs.give(tmp_path / "third")
    assert {path.name: path.read_text() for path in (tmp_path / "first").iterdir()} == {"redis.log": "started\n"}
    assert (tmp_path / "second" / "redis.log").read_text() == "flushed\n"
    assert (tmp_path / "second" / "postgres.log").read_text() == "ready\n"
    assert {path.name: path.read_text() for path in (tmp_path / "third").iterdir()} == {"redis.log": "", "postgres.log": ""}


def test_a_place_that_cannot_be_written_keeps_the_words_for_the_next(tmp_path: Path) -> None:
    stack, logs = tmp_path / "stack", LastingLogs(tmp_path / "stack")
    logs.give(tmp_path / "nothing was started")
    stack.mkdir()
    (stack / "redis.log").write_text("started\n")
    (tmp_path / "in the way").touch()
    logs.give(tmp_path / "in the way")
    logs.give(tmp_path / "second")
    assert (tmp_path / "second" / "redis.log").read_text() == "started\n"
