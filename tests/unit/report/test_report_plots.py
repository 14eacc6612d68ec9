import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from report_fixtures import (
    healthy_run,
    make_breakers,
    make_gaps,
    make_heat,
    make_plan,
    make_summary,
    make_timeline,
    make_verdict,
    write_run,
)

from harness.report.material import Material, read_material
from harness.report.page import render_html
from harness.report.plots import Plot, draw_plots
from harness.report.plots.series import read_series
from harness.report.svg import Sheet
from harness.rundir import RunDirectory

NAMES = {"timeline", "sources", "spend", "instrument", "distribution", "heat", "gaps", "breakers", "recovery"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return healthy_run(tmp_path_factory.mktemp("healthy") / "run")


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet()


@pytest.fixture(scope="module")
def plots(run: RunDirectory, sheet: Sheet) -> Mapping[str, Plot]:
    return draw_plots(read_material(run), sheet)


def test_every_plot_has_a_sentence_from_the_numbers_and_both_sizes(plots: Mapping[str, Plot]) -> None:
    assert set(plots) == NAMES
    assert "4.1 s in outage (0.68 % bad)" in plots["timeline"].reading
    assert "98.31 % in outage (580 of 590)" in plots["sources"].reading
    assert "$0.0461 was spent on 2,512 provider calls, 3 of them matched to no request" in plots["spend"].reading
    assert "1,900 of 1,900 arrivals" in plots["instrument"].reading
    assert "The fullest band, 1,330 answers, took 500 ms to 650 ms" in plots["heat"].reading
    assert "the slowest, 5 s to 6.5 s, were asked 64 s after the start" in plots["heat"].reading
    assert (
        "half of the answers kept within 11 ms, 95 % within 15.5 ms; the provider sent them within 9.75 ms"
        in plots["gaps"].reading
    )
    assert "primary on a was first seen open at 37 s and closed again at 66 s" in plots["breakers"].reading
    assert "primary on b was first seen open at 38 s and was not seen closed again" in plots["breakers"].reading
    assert "secondary" not in plots["breakers"].reading
    assert (
        "the fault of outage showed after 1.2 s, and the service was itself again 2.31 s after the repair"
        in plots["recovery"].reading
    )
    for plot in plots.values():
        assert plot.reading in plot.wide.unescape()
        assert plot.wide.startswith("<svg")
        assert plot.narrow.startswith("<svg")


def test_a_plot_carries_no_colour_of_its_own_so_that_it_follows_the_theme(plots: Mapping[str, Plot], sheet: Sheet) -> None:
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
    for name in ("timeline", "heat", "gaps", "breakers"):  # one plot says as much as ten
        (run.measurements / f"{name}.parquet").unlink()
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


EMPTY = {"heat": make_heat, "gaps": make_gaps, "breakers": make_breakers}


@pytest.fixture(scope="module", params=["no rows", "no file"])
def nothing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, Material, str]:
    """A run without any of these tables: whether their files are missing, its material and its page."""
    run = write_run(tmp_path_factory.mktemp("nothing") / "run", make_verdict())
    for name, make in EMPTY.items():
        path = run.measurements / f"{name}.parquet"
        if request.param == "no rows":
            pq.write_table(make().slice(0, 0), path)
        else:
            path.unlink()
    material = read_material(run)
    return request.param == "no file", material, render_html(replace(material, requests=None, timeline=None, cdf=None))


@pytest.mark.parametrize("name", EMPTY)
def test_what_has_no_data_is_not_drawn_and_the_page_says_why(nothing: tuple[bool, Material, str], name: str) -> None:
    missing, material, page = nothing
    assert draw_plots(material, Sheet(), {name}) == {}
    assert any(f"{name}.parquet" in told for told in material.missing) is missing
    assert WHY[name] in page
    assert f'id="{name}"' not in page


WHY = {
    "heat": "Not drawn: nothing was answered",
    "gaps": "Not drawn: no answer was streamed in two pieces or more",
    "breakers": "Not drawn: no instance told the state of a circuit",
}


def test_a_recovery_that_was_not_seen_is_told_and_drawn_as_such(run: RunDirectory) -> None:
    material = read_material(run)
    summary = make_summary()
    late = replace(summary.recoveries[0], recovered_s=None, to_primary_s=None)
    drawn = draw_plots(replace(material, summary=replace(summary, recoveries=(late,))), Sheet(), {"recovery"})["recovery"]
    assert "no recovery was seen in the 30 s after it" in drawn.reading
    assert drawn.wide.count("not seen") == 2
    nothing = replace(late, to_detect_s=None, to_fallback_s=None)
    assert draw_plots(replace(material, summary=replace(summary, recoveries=(nothing,))), Sheet(), {"recovery"}) == {}


def test_a_state_is_told_by_its_height_and_not_by_colour_alone(plots: Mapping[str, Plot]) -> None:
    """Three states, three heights of bars: a page without colour says the same."""
    drawn = plots["breakers"].wide
    heights = set()
    for path in re.findall(r' d="(M [^"]+)"', drawn):
        ys = {float(y) for y in re.findall(r"[ML] [-\d.]+ ([-\d.]+)", path)}
        if len(ys) == 2 and path.rstrip().endswith("z"):
            heights.add(round(max(ys) - min(ys)))
    assert len({height for height in heights if 3 < height < 40}) >= 3


def test_a_busy_heat_map_keeps_the_page_small() -> None:
    """Every cell full of another number of answers: the most that a run of any length can leave."""
    rows = [
        {"from_s": c, "to_s": c + 1.0, "took_from_s": 0.01 * 1.34**r, "took_to_s": 0.01 * 1.34 ** (r + 1), "answers": 1 + (7 * c + 13 * r) % 97}
        for c in range(96)
        for r in range(30)
    ]  # fmt: skip
    material = Material(
        verdict=None, plan=make_plan(), summary=None, timeline=None, requests=None, cdf=None, heat=pa.Table.from_pylist(rows)
    )
    drawn = draw_plots(material, Sheet(), {"heat"})["heat"]
    assert len(drawn.wide) + len(drawn.narrow) < 600_000
    assert drawn.wide.count("<path") < 200
