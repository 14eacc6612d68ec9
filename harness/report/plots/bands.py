"""Phases and faults as bands over a time axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.model.plan import PhaseKind
from harness.report.material import Material
from harness.report.palette import TONES
from harness.report.plots.canvas import INK, MUTED, RULE, Room, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TONE_OF_PHASE = {PhaseKind.WARMUP: "grey", PhaseKind.RECOVERY: "sky"}
_POINTS_PER_CHARACTER = 5.0


def draw_bands(axes: Sequence["Axes"], material: Material, room: Room) -> None:
    """Draw phases and faults over all `axes`, and name them in the first."""
    plan = material.plan
    if plan is None:
        return
    start_s, end_s = plan.phases[0].start_ns / 1e9, plan.end_ns / 1e9
    points_per_s = room.width_in * 72 * 0.88 / max(end_s - start_s, 1e-9)
    for phase in plan.phases:
        left_s, right_s = phase.start_ns / 1e9, phase.end_ns / 1e9
        for each in axes:
            each.axvline(left_s, color=RULE, linewidth=0.8, zorder=0.5)
            if phase.kind in _TONE_OF_PHASE:
                each.axvspan(left_s, right_s, color=TONES[_TONE_OF_PHASE[phase.kind]].light, alpha=0.13, linewidth=0, zorder=0.4)
        name = label(phase.name)
        fits = (right_s - left_s) * points_per_s >= len(name) * _POINTS_PER_CHARACTER
        _name(axes[0], (left_s + right_s) / 2 if fits else left_s + 5 / points_per_s, 0.985, name, upright=not fits)
    for left_s, right_s in _fault_spans(material):
        for each in axes:
            each.axvspan(left_s, right_s, color=TONES["vermillion"].light, alpha=0.16, linewidth=0, zorder=0.45)
    _name_faults(axes[0], material, end_s, points_per_s)


def fault_names(material: Material) -> list[str]:
    """Return each fault as `timeout at provider.primary`."""
    faults = material.verdict.faults if material.verdict else (material.plan.faults if material.plan else ())
    return [f"{fault.kind} at {fault.at}" for fault in faults]


def _fault_spans(material: Material) -> list[tuple[float, float]]:
    """Return where faults stood, in seconds: from requested to proved clear, as planned where there is no record."""
    plan = material.plan
    assert plan is not None
    if material.verdict is None:
        return [(fault.apply_ns / 1e9, fault.clear_ns / 1e9) for fault in plan.faults]
    spans = []
    for record in material.verdict.faults:
        if record.requested_ns is not None:
            ends = (record.proved_clear_ns, record.cleared_ns, plan.end_ns)
            spans.append((record.requested_ns / 1e9, next(end for end in ends if end is not None) / 1e9))
    return spans


def _name_faults(axes: "Axes", material: Material, end_s: float, points_per_s: float) -> None:
    for row, ((left_s, _), name) in enumerate(zip(_fault_spans(material), fault_names(material), strict=False)):
        if row > 3:
            break
        text = label(name)
        room_s = len(text) * _POINTS_PER_CHARACTER / points_per_s
        at_s = max(min(left_s + 3 / points_per_s, end_s - room_s), 0)
        drawn = axes.annotate(text, (at_s, 1), xycoords=("data", "axes fraction"), xytext=(0, -15 - 11 * row),
                              textcoords="offset points", va="top", fontsize=8, color=INK, fontstyle="italic")  # fmt: skip
        drawn.set_in_layout(False)


def _name(axes: "Axes", x_s: float, y: float, text: str, *, upright: bool) -> None:
    drawn = axes.text(x_s, y, text, transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=8,
                      rotation=90 if upright else 0, color=MUTED)  # fmt: skip
    drawn.set_in_layout(False)  # a long name runs over its band; it must not push the axes together
