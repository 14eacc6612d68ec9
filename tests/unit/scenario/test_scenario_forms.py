"""Every objective is listed with an example that can be read; a form that cannot is refused in words."""

from pathlib import Path

import pytest

from harness.model.metric_query import Function, Selected, parse_metric_query
from harness.model.objective import Quantity
from harness.scenario.forms import FORMS, listed
from harness.scenario.judged import QUANTITIES
from harness.scenario.objectives import parse_short_form

REFERENCE = Path(__file__).parents[3] / "docs/how-to/objectives.md"


def test_every_objective_that_can_be_written_is_listed_and_documented() -> None:
    assert set(FORMS) == set(QUANTITIES.values())
    text = REFERENCE.read_text(encoding="utf-8")
    for quantity, (_, example) in FORMS.items():
        assert f"`{quantity.value}`" in text, quantity
        assert example.replace("|", r"\|") in text, quantity
    assert list(listed()) == [quantity.value for quantity in FORMS]


@pytest.mark.parametrize("quantity", FORMS, ids=lambda quantity: quantity.value)
def test_an_example_can_be_read(quantity: Quantity) -> None:
    assert parse_short_form(quantity, FORMS[quantity][1]).quantity is quantity


def test_a_query_says_what_is_selected_and_how_far_it_may_be_off() -> None:
    query = parse_metric_query('increase(x_total{code=~"4..", route!="/ready"}) / 2 = refusals within 5%')
    assert isinstance(query.left.first, Selected)
    assert (query.left.first.function, query.left.first.name) == (Function.INCREASE, "x_total")
    assert [matcher.fits("429") for matcher in query.left.first.matchers] == [True, True]
    assert [matcher.fits("/ready") for matcher in query.left.first.matchers] == [False, False]
    assert (query.op, query.within) == ("=", 0.05)


@pytest.mark.parametrize(
    ("quantity", "text", "says"),
    [
        (Quantity.SERVER_METRIC, "increase(x)", "compares nothing"),
        (Quantity.SERVER_METRIC, "increase(x) <= 5 within 5%", "belongs to `=`"),
        (Quantity.SERVER_METRIC, "requests = answers", "asks no metric"),
        (Quantity.SERVER_METRIC, "rate(x) <= 5", "'rate' is no function"),
        (Quantity.SERVER_METRIC, "increase(x{code}) <= 5", "no label matcher"),
        (Quantity.SERVER_METRIC, 'increase(x{code=~"("}) <= 5', "no pattern"),
        (Quantity.SERVER_METRIC, "increase(x) <= five", "is no number"),
        (Quantity.SERVER_METRIC, "increase(x) <= nan", "to compare with"),
        (Quantity.SERVER_METRIC, "sum(x) / sum(y) / sum(z) <= 1", "one `/` or `\\*`"),
        (Quantity.LOG_RULE, "secret", "is no rule"),
        (Quantity.LOG_RULE, "never (", "no regular expression"),
        (Quantity.LOG_RULE, "never x*", "matches every line"),
        (Quantity.LONGEST_WAIT, "soon", "soon"),
        (Quantity.FALSE_CLAIMS, "> 5%", "ceiling"),
        (Quantity.PAID_TWICE, "> 1%", "ceiling"),
        (Quantity.LOGGED_SHARE, "< 5%", "floor"),
    ],
)
def test_a_form_that_cannot_be_read_says_why(quantity: Quantity, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_short_form(quantity, text)
