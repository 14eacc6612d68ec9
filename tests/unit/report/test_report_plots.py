import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from report_fixtures import healthy_run, make_timeline

from harness.report.material import read_material
from harness.report.plots import draw_plots
from harness.report.plots.series import read_series
from harness.report.svg import Sheet

NAMES = {"timeline", "sources", "spend", "instrument", "distribution"}


def test_every_plot_has_a_sentence_from_the_numbers_and_both_sizes(tmp_path: Path) -> None:
    plots = draw_plots(read_material(healthy_run(tmp_path / "run")), Sheet())
    assert set(plots) == NAMES
    assert "4.1 s in outage (0.68 % bad)" in plots["timeline"].reading
    assert "98.31 % in outage (580 of 590)" in plots["sources"].reading
    assert "$0.0461 was spent on 2,512 provider calls, 3 of them matched to no request" in plots["spend"].reading
    assert "1,900 of 1,900 arrivals" in plots["instrument"].reading
    for plot in plots.values():
        assert plot.reading in plot.wide.unescape()
        assert plot.wide.startswith("<svg")
        assert plot.narrow.startswith("<svg")


def test_a_plot_carries_no_colour_of_its_own_so_that_it_follows_the_theme(tmp_path: Path) -> None:
    sheet = Sheet()
    plots = draw_plots(read_material(healthy_run(tmp_path / "run")), sheet)
    drawn = sheet.css + "".join(plot.wide + plot.narrow for plot in plots.values())
    assert not re.findall(r"#[0-9a-f]{6}\b", drawn)
    assert "style=" not in drawn
    assert "font-family" not in drawn


def test_a_long_run_is_thinned_to_its_worst_seconds_and_says_so() -> None:
    table = make_timeline(seconds=3600)
    series = read_series(table)
    assert series is not None
    assert len(series.middles_s) <= 360
    assert series.step_s == 10
    worst = max(value for value in table["response_p95_s"].to_pylist() if value is not None)
    assert (
        series.levels["response_p95_s"].max(
            initial=0.0, where=~(series.levels["response_p95_s"] != series.levels["response_p95_s"])
        )
        == worst
    )
    assert sum(series.rates["intended"]) * 10 == pytest.approx(sum(table["intended"].to_pylist()))
    assert "worst second of 10" in series.per


@pytest.mark.parametrize("home", ["missing", "unset", "not writable"])
def test_drawing_says_nothing_and_works_without_a_home_to_write_to(tmp_path: Path, home: str) -> None:
    run = healthy_run(tmp_path / "run")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "MPL", "HOME"))}
    if home == "missing":
        environment["HOME"] = "/nonexistent/home"
    elif home == "not writable":
        environment["HOME"] = "/proc"
    code = "import sys; from pathlib import Path; from harness.rundir import RunDirectory; from harness.report import write_reports; "
    code += f"write_reports(RunDirectory.open(Path({str(run.path)!r}))); print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "False", "")


def test_the_room_is_light_until_a_page_is_asked_for() -> None:
    code = (
        "import sys, harness.report; print([m for m in ('matplotlib', 'jinja2', 'numpy', 'pandas', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
