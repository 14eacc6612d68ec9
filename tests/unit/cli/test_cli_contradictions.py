"""Options that do not go together are refused before anything starts; none is passed over."""

import pytest

from harness.cli.main import main


@pytest.mark.parametrize(
    "words",
    [
        ["--repeat", "3"],
        ["--deadline", "9m"],
        ["--live"],
        ["--self-check"],
        ["--web"],
        ["--baseline", "nothing.json"],
        ["--repeat", "2", "--deadline", "9m"],
    ],
    ids=" ".join,
)
def test_what_a_comparison_of_two_versions_would_pass_over_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "provider-outage", "--against", "embedded", *words])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "and --against do not go together" in said
    assert all(word in said for word in words if word.startswith("--"))


def test_a_scenario_and_a_bundle_are_not_both_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", "provider-outage", "--bundle", "smoke"])
    assert ended.value.code == 2
    assert "not both" in capsys.readouterr().err
