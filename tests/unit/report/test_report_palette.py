import pytest

from harness.model.outcome import Result, Source
from harness.report.palette import FILL, SOURCE_FILL, STATUS_TONES, TONES, custom_properties


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("form", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_every_text_colour_has_contrast_enough_on_page_and_card(form: str, ground: str) -> None:
    behind = getattr(TONES[ground], form)
    for name, tone in {**{n: TONES[n] for n in ("ink", "muted", "link")}, **STATUS_TONES}.items():
        assert _contrast(getattr(tone, form), behind) >= 4.5, name


def test_no_two_colours_share_their_light_form_for_a_plot_is_recoloured_by_it() -> None:
    assert len({tone.light for tone in TONES.values()}) == len(TONES)


def test_every_result_and_source_has_a_colour_of_its_own() -> None:
    assert set(FILL) == {str(result) for result in Result}
    assert set(SOURCE_FILL) == {str(source) for source in Source}
    assert len(set(FILL.values())) == len(FILL)
    assert set(FILL.values()) | set(SOURCE_FILL.values()) <= set(TONES)


def test_both_forms_define_the_same_properties() -> None:
    light, dark = ({part.split(":")[0] for part in custom_properties(form).split(";")} for form in ("light", "dark"))
    assert light == dark
