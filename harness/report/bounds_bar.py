"""A small bar: the value found with its bounds, against the limit. Drawn with attributes only, coloured by the page's sheet."""

from markupsafe import Markup, escape

from harness.model.judgement import Judgement, Test
from harness.model.objective import Kind

_WIDTH, _HEIGHT, _EDGE = 220.0, 26.0, 6.0


def bounds_bar(judgement: Judgement, description: str) -> Markup:
    """Return the bar as `<svg>`; empty where there is no figure to draw. description: what it shows, in words."""
    test = judgement.test
    if test is None or test.value is None or judgement.kind not in (Kind.RATIO, Kind.DURATION, Kind.BUDGET):
        return Markup("")
    low, high = _scale(judgement.kind, test)

    def x(value: float) -> float:
        return round(_EDGE + (min(max(value, low), high) - low) / (high - low) * (_WIDTH - 2 * _EDGE), 1)

    left, right = (_EDGE, x(test.limit)) if test.op.startswith("<") else (x(test.limit), _WIDTH - _EDGE)
    lower = test.value if test.lower is None else test.lower
    upper = test.value if test.upper is None else test.upper
    parts = [
        f'<rect class="track" x="{_EDGE}" y="9" width="{_WIDTH - 2 * _EDGE}" height="8" rx="2"/>',
        f'<rect class="allowed" x="{left}" y="9" width="{max(right - left, 0):.1f}" height="8" rx="2"/>',
        f'<line class="bounds" x1="{x(lower)}" x2="{x(upper)}" y1="13" y2="13"/>',
        *(f'<line class="bounds" x1="{x(end)}" x2="{x(end)}" y1="9" y2="17"/>' for end in (lower, upper)),
        f'<line class="limit" x1="{x(test.limit)}" x2="{x(test.limit)}" y1="3" y2="23"/>',
        f'<circle class="value" cx="{x(test.value)}" cy="13" r="4.5"/>',
    ]
    head = f'<svg class="bar" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" aria-label="{escape(description)}">'
    return Markup(f"{head}{''.join(parts)}</svg>")  # noqa: S704 - numbers of our own, and one text that is escaped


def _scale(kind: Kind, test: Test) -> tuple[float, float]:
    """Return the ends of the axis: from 0, or up to 1 for a share that must be high, with the limit well inside."""
    figures = [figure for figure in (test.value, test.lower, test.upper, test.limit) if figure is not None]
    if kind is Kind.RATIO and test.op.startswith(">"):
        gap = 1.0 - min(figures)
        return max(0.0, 1.0 - max(gap * 1.15, 2 * (1.0 - test.limit), 1e-9)), 1.0
    top = max(*figures, 2 * test.limit if kind is Kind.RATIO else 1.25 * test.limit) * 1.05
    return 0.0, min(top, 1.0) if kind is Kind.RATIO and top > 0 else max(top, 1e-9)
