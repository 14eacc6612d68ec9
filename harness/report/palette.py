"""The colours of every report, each with a light and a dark form; plots, page and badges take them from here.

Series colours are Okabe and Ito's, which people of every colour vision can tell apart; the blue is lightened for dark.
A plot is drawn with the light form and its hex values are then replaced by `var(--name)`, so that one drawing serves both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.judgement import Status


@dataclass(frozen=True, slots=True)
class Tone:
    """One colour in both forms, as `#rrggbb` in lower case. No two tones share a light form."""

    light: str
    dark: str


TONES: Mapping[str, Tone] = {
    "ink": Tone("#1b1f24", "#e8ebef"),
    "muted": Tone("#57606a", "#a8b1bd"),
    "paper": Tone("#ffffff", "#12161b"),
    "card": Tone("#f5f6f8", "#1b2129"),
    "rule": Tone("#d3d8de", "#39434f"),
    "link": Tone("#0a58a8", "#7cbcff"),
    "blue": Tone("#0072b2", "#3390d6"),
    "sky": Tone("#56b4e9", "#8fd0f7"),
    "green": Tone("#009e73", "#1bb58a"),
    "orange": Tone("#e69f00", "#e6a000"),
    "vermillion": Tone("#d55e00", "#e8742a"),
    "purple": Tone("#cc79a7", "#cc7aa8"),
    "yellow": Tone("#f0e442", "#d9cd3a"),
    "grey": Tone("#8c959f", "#8c96a0"),
}

STATUS_TONES: Mapping[Status, Tone] = {
    Status.PASS: Tone("#00664a", "#4fd6ab"),
    Status.WARN: Tone("#7a5200", "#f0c050"),
    Status.FAIL: Tone("#a83200", "#ff9a6b"),
    Status.INCONCLUSIVE: Tone("#5a4a00", "#e4d765"),
    Status.INVALID: Tone("#7d2560", "#f0a3d2"),
    Status.NOT_APPLICABLE: Tone("#4d555e", "#b3bcc7"),
    Status.WAIVED: Tone("#33517a", "#9cc3f5"),
}
"""Dark enough on paper, and light enough on the dark page, to be read as text; on a badge the page's paper is the text."""

FILL = {"answered": "green", "refused": "sky", "shed": "yellow", "error": "vermillion", "timeout": "orange",
        "malformed": "purple", "cancelled": "grey", "unsent": "ink"}  # fmt: skip
"""Result to tone."""

SOURCE_FILL = {"primary": "blue", "secondary": "orange", "cache": "sky", "stale_cache": "yellow", "canned": "purple",
               "rule": "grey"}  # fmt: skip
"""Source to tone."""


def custom_properties(form: str) -> str:
    """Return the CSS custom properties of one form, `light` or `dark`."""
    named = {**TONES, **{f"status-{status.value}": tone for status, tone in STATUS_TONES.items()}}
    return "".join(f"--{name}:{getattr(tone, form)};" for name, tone in named.items())
