"""Load processes are a forge's children, whoever starts them; a test that wants `python -m harness.load` itself says so."""

import subprocess
from types import SimpleNamespace

import pytest
from forge import popen

from harness.run import load_child


@pytest.fixture(autouse=True)
def _load_comes_from_a_forge(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "load_by_python" not in request.fixturenames:
        monkeypatch.setattr(load_child, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": popen}))


@pytest.fixture
def load_by_python() -> None:
    """The load of this test is started as users start it."""
