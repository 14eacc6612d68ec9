"""Extensions of installed packages, by entry point: loaded when a scenario uses their name, and only then."""

import sys
from pathlib import Path

import pytest
from plugin_files import CHECK, FAULT, OBJECTIVE, ran, write

from harness.cli.commands.list import command as list_command
from harness.errors import ConfigurationError
from harness.extensions.found import find_extensions
from harness.run.targets import find_target
from harness.scenario import read_scenario

POINTS = """
[harness.faults]
drizzle = roof_package:DRIZZLE
{more}
[harness.checks]
roof is dry = roof_package:DRY
[harness.objectives]
wet answers = roof_package:WET
[harness.targets]
shed = roof_package:shed
hut = roof_package:hut
"""
TARGETS = """
def shed(*, seed):
    from harness.target.embedded import EmbeddedTarget
    return EmbeddedTarget(seed=seed)

def hut():
    return None
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installs the package; more: further entry points of faults."""

    def install(more: str = "", source: str = FAULT + CHECK + OBJECTIVE + TARGETS) -> Path:
        site = tmp_path / "site"
        info = site / "roof-1.2.dist-info"
        info.mkdir(parents=True)
        (site / "roof_package.py").write_text(source)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: roof\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(POINTS.format(more=more))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "roof_package", raising=False)
        return site

    yield install
    sys.modules.pop("roof_package", None)


def test_a_scenario_finds_what_is_installed_by_its_name(package, tmp_path: Path):
    package()
    found = find_extensions(read_scenario(write(tmp_path, plugins="", source=None)), imports=False)
    assert (list(found.faults), list(found.checks), list(found.objectives)) == (["drizzle"], ["roof is dry"], ["wet answers"])
    (reference,) = found.references
    assert (reference.path, reference.digest) == ("roof 1.2", None)
    assert set(reference.brings) == {"drizzle", "roof is dry", "wet answers"}


def test_what_no_scenario_names_is_not_loaded(package, tmp_path: Path):
    site = package()
    path = write(
        tmp_path,
        plugins="",
        source=None,
        fault="{at: provider.primary, kind: timeout}",
        objective='{latency: "p95 < 5s"}',
        check="{check: budget cap, during: steady}",
    )
    assert find_extensions(read_scenario(path), imports=True).references == ()
    assert not ran(site)


def test_it_is_listed_by_name_without_being_loaded(package, capsys: pytest.CaptureFixture[str]):
    site = package()
    for what, name in [("faults", "drizzle"), ("checks", "roof is dry"), ("objectives", "wet answers"), ("targets", "shed")]:
        list_command.main([what], standalone_mode=False)
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{name} ")]
        assert "of roof 1.2 [roof_package:" in line
    assert not ran(site)


def test_a_target_of_a_package_is_found_by_its_name(package):
    package()
    assert find_target("shed", 1).offer().reference.kind == "embedded"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import a_package_that_nobody_has", "loading roof_package:DRIZZLE raised ModuleNotFoundError"),
        ("DRIZZLE = 1\n", "is a int; the group takes a FaultExtension"),
        (FAULT, "it calls itself 'drizzle'"),
        ("raise SystemExit(1)", "raised SystemExit"),
    ],
)
def test_a_package_that_is_broken_is_told_by_name_and_version(source: str, told: str, package, tmp_path: Path):
    package(more="other = roof_package:DRIZZLE", source=source)
    fault = "{at: plugins.roof, kind: other}" if source == FAULT else "{at: plugins.roof, kind: drizzle}"
    with pytest.raises(ConfigurationError) as raised:
        find_extensions(read_scenario(write(tmp_path, plugins="", source=None, fault=fault)), imports=False)
    assert told in str(raised.value)
    assert "of roof 1.2" in str(raised.value)


def test_a_target_that_cannot_be_made_is_told(package):
    package()
    with pytest.raises(
        ConfigurationError, match=r"entry point harness.targets:hut of roof 1.2: roof_package:hut raised TypeError"
    ):
        find_target("hut", 1)
    with pytest.raises(ConfigurationError, match="did you mean 'embedded'"):
        find_target("embeded", 1)
