import importlib
import importlib.metadata

import pytest

from harness.load.plugins_once import plugins_looked_for_once


def test_packages_are_read_once_and_say_what_they_say_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = ("console_scripts", "pytest11", "gevent.plugins.monkey.will_patch_module")
    told = [set(importlib.metadata.entry_points(group=group)) for group in groups]
    assert told[0]
    looks = []
    look = importlib.metadata.distributions
    monkeypatch.setattr(importlib.metadata, "distributions", lambda **asked: (looks.append(1), look(**asked))[1])
    with plugins_looked_for_once():
        assert [set(importlib.metadata.entry_points(group=group)) for group in groups] == told
    assert len(looks) == 1
    importlib.metadata.entry_points(group="console_scripts")
    assert len(looks) == 2


def test_what_was_there_is_back_also_after_an_error() -> None:
    before = importlib.metadata.entry_points
    with pytest.raises(ModuleNotFoundError), plugins_looked_for_once():
        importlib.import_module("no_such_module")
    assert importlib.metadata.entry_points is before
