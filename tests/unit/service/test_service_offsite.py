"""A backup that is kept elsewhere: in a directory, in a bucket, by a program."""

import io
import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from reference_service.operations.archive import PARTS, BackupError
from reference_service.operations.envelope import seal
from reference_service.operations.offsite import Offsite, fetch, offsite, offsite_age_s, send

sys.path.insert(0, str(Path(__file__).parents[2] / "e2e"))
from bucket import bucket

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
PASSPHRASE = "a passphrase of the tests"
PROGRAM = """
import pathlib, sys
folder, verb, *name = sys.argv[1:]
path = pathlib.Path(folder, *name)
if verb == "put": path.write_bytes(sys.stdin.buffer.read())
elif verb == "get": sys.stdout.buffer.write(path.read_bytes())
elif verb == "drop": path.unlink()
else: print(*(p.name for p in path.iterdir()), sep="\\n")
"""


@pytest.fixture(params=["directory", "bucket", "program"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Offsite]:
    there = tmp_path / "there"
    if request.param == "directory":
        yield offsite(there.as_uri())
    elif request.param == "program":
        there.mkdir()
        (tmp_path / "keep.py").write_text(PROGRAM)
        yield offsite(f"command:{sys.executable} {tmp_path / 'keep.py'} {there}")
    else:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "of-the-tests")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        with bucket() as server:
            yield offsite(server.url("backups"))


@pytest.fixture
def backup(tmp_path: Path) -> Callable[[datetime], Path]:
    def made(at: datetime) -> Path:
        place = tmp_path / "here" / at.strftime("%Y%m%dT%H%M%SZ")
        place.mkdir(parents=True)
        for part in PARTS:
            (place / part).write_bytes(f"{part} of {at}".encode() * 1000)
        digests = {part: sha256((place / part).read_bytes()).hexdigest() for part in PARTS}
        (place / "manifest.json").write_text(json.dumps({"at": at.isoformat(), "digests": digests}))
        return place

    return made


def test_it_comes_home_as_it_left_and_cannot_be_read_there(store: Offsite, backup: Callable, tmp_path: Path):
    place = backup(NOW)
    name = send(store, place, PASSPHRASE, now=NOW)
    assert b"database.dump" not in store.get(name)
    home = fetch(store, tmp_path / "home", PASSPHRASE)
    assert {path.name: path.read_bytes() for path in home.iterdir()} == {p.name: p.read_bytes() for p in place.iterdir()}
    with pytest.raises(BackupError, match="another passphrase"):
        fetch(store, tmp_path / "thief", "guessed")
    assert not (tmp_path / "thief").exists()


def test_thirty_days_are_kept_there_the_newest_has_an_age_and_others_files_are_left_alone(store: Offsite, backup: Callable):
    store_is_empty = offsite_age_s(store, now=NOW)
    assert store_is_empty is None
    for days in (31, 29, 2):
        send(store, backup(NOW - timedelta(days=days)), PASSPHRASE, now=NOW - timedelta(days=days))
    store.put("somebody-elses.txt", b"x")
    send(store, backup(NOW), PASSPHRASE, now=NOW)
    assert store.names() == [
        "20261030T020000Z.sealed", "20261126T020000Z.sealed", "20261128T020000Z.sealed", "somebody-elses.txt"
    ]  # fmt: skip
    assert offsite_age_s(store, now=NOW + timedelta(hours=3)) == 3 * 3600


def test_what_was_changed_or_is_not_there_is_refused_and_leaves_nothing(store: Offsite, backup: Callable, tmp_path: Path):
    with pytest.raises(BackupError, match="no backup off-site"):
        fetch(store, tmp_path / "home", PASSPHRASE)
    name = send(store, backup(NOW), PASSPHRASE, now=NOW)
    store.put(name, store.get(name)[:-1] + b"x")
    with pytest.raises(BackupError, match="changed bytes"):
        fetch(store, tmp_path / "home", PASSPHRASE)
    with pytest.raises(BackupError):
        fetch(store, tmp_path / "home", PASSPHRASE, "20200101T000000Z.sealed")
    assert not (tmp_path / "home").exists()


def test_what_did_not_arrive_whole_is_no_backup(tmp_path: Path, backup: Callable):
    (tmp_path / "lose.py").write_text(PROGRAM.replace("sys.stdin.buffer.read()", "sys.stdin.buffer.read()[:-1]"))
    (tmp_path / "there").mkdir()
    store = offsite(f"command:{sys.executable} {tmp_path / 'lose.py'} {tmp_path / 'there'}")
    with pytest.raises(BackupError, match="changed bytes"):
        send(store, backup(NOW), PASSPHRASE, now=NOW)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nowhere://x", "use s3://, gs://, abfs://, file:///DIRECTORY or command:PROGRAM"),
        ("relative/path", "use s3://"),
        ("s3://key:secret@bucket/x", "set AWS_ACCESS_KEY_ID"),
        ("command:", "names no program"),
    ],
)
def test_a_place_that_cannot_be_is_refused_with_what_can(place: str, said: str):
    with pytest.raises(BackupError, match=said) as refused:
        offsite(place)
    assert "secret" not in str(refused.value)


def test_a_program_that_fails_is_told_with_what_it_said():
    failing = f"command:{sys.executable} -c 'import sys; sys.exit(\"no such bucket\")'"
    with pytest.raises(BackupError, match="list ended with 1: no such bucket"):
        offsite(failing).names()
    with pytest.raises(BackupError, match="not-there list"):
        offsite(f"command:{os.curdir}/not-there").names()


def test_what_is_no_whole_backup_leaves_nothing_and_goes_nowhere_else(tmp_path: Path):
    store, packed = offsite((tmp_path / "there").as_uri()), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("../outside", *PARTS):
            tar.addfile(tarfile.TarInfo(name))
    store.put("20261128T020000Z.sealed", seal(packed.getvalue(), PASSPHRASE))
    with pytest.raises(BackupError, match=r"20261128T020000Z\.sealed: .*manifest\.json"):
        fetch(store, tmp_path / "home", PASSPHRASE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_without_pyarrow_a_url_is_told_to_be_of_no_use_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BackupError, match="not installed here; or use command:PROGRAM"):
        offsite(tmp_path.as_uri())
