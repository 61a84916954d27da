"""Views one after the other."""

import pytest
import torch

from oodkit.errors import UnknownName
from oodkit.views import after, load_view, views

IMAGE = torch.arange(3 * 8 * 12, dtype=torch.uint8).view(3, 8, 12)


def test_views_are_applied_from_left_to_right():
    """`resolution4+rotate90` turns the small image; a draw depends on what it is given."""
    small = load_view("resolution4").apply(IMAGE)
    assert torch.equal(load_view("resolution4+rotate90").apply(IMAGE), load_view("rotate90").apply(small))
    assert torch.equal(load_view("resolution4+mild1").apply(IMAGE), load_view("mild1").apply(small))
    assert load_view("flip+mild1").name == "flip+mild1"


def test_the_identity_adds_nothing_to_a_name():
    """One name per view, since embeddings are kept under it."""
    assert after("identity", "mild1") == "mild1"
    assert after("resolution32", "identity") == "resolution32"
    assert after("resolution32", "mild1") == "resolution32+mild1"


@pytest.mark.parametrize("name", ["flip+", "+flip", "flip+mild", "flip++flip"])
def test_each_part_must_be_a_view(name):
    """A part that is unknown makes the whole unknown."""
    assert name not in views
    with pytest.raises(UnknownName):
        load_view(name)
