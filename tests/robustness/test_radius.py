import pytest

from oodkit.errors import InvalidInput
from oodkit.robustness import parse_radius
from oodkit.robustness.radius import make_ball


@pytest.mark.parametrize(
    ("text", "value"), [("8/255", 8 / 255), ("0.03", 0.03), (" 2 / 255 ", 2 / 255), ("1", 1), ("0.5/255", 0.5 / 255)]
)
def test_a_radius_is_a_number_or_a_fraction(text, value):
    """As people write it."""
    assert parse_radius(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["eight", "8/0", "", "nan", "inf", "1e400", "1/2/3", "8/"])
def test_anything_else_is_refused(text):
    """In one line with examples."""
    with pytest.raises(InvalidInput, match="fraction such as 8/255"):
        parse_radius(text)


def test_unknown_norms_are_refused():
    """The norms are named."""
    with pytest.raises(InvalidInput, match="one of linf, l2, got 'l1'"):
        make_ball("l1", 0.1)
