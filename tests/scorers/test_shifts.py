"""Names of shifting transformations."""

import pytest

from oodkit.errors import InvalidInput
from oodkit.scorers.shifts import SHIFTS, shift_names, shift_views
from oodkit.views import views


def test_transformations_are_views_by_name():
    """Turns stand for themselves, `rotate` for the three; what draws at random has as many views as draws."""
    assert shift_views("rotate", 2) == ("rotate90", "rotate180", "rotate270")
    assert shift_views("patches2", 2) == ("patches2_1", "patches2_2")
    assert shift_views("rotate_any+rotate90", 1) == ("rotate_any1", "rotate90")
    assert shift_views("rotate+rotate90", 1) == ("rotate90", "rotate180", "rotate270")


def test_each_transformation_has_a_view():
    """All views exist."""
    for name in SHIFTS:
        assert all(view in views for view in shift_views(name, 2))


@pytest.mark.parametrize("text", ["", "rotate45", "patches2,pixels", "pixels+pixels", "rotate+", None, 3, -1.0])
def test_others_are_refused_in_one_line(text):
    """The line has all names."""
    with pytest.raises(InvalidInput, match=r"^shift must be one of rotate, rotate90") as caught:
        shift_names(text)
    assert "\n" not in str(caught.value)
    with pytest.raises(InvalidInput, match="did you mean 'rotate_any'"):
        shift_names("rotateany")
