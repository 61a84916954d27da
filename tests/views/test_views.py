"""Views of an image."""

import pytest
import torch

from oodkit.errors import UnknownName
from oodkit.views import load_view, views

IMAGE = torch.arange(3 * 2 * 4, dtype=torch.uint8).view(3, 2, 4)


def test_every_view_is_deterministic_and_keeps_the_pixels():
    """The built-in views move pixels and change none."""
    for name in views:
        view = load_view(name)
        seen = view.apply(IMAGE)
        assert view.name == name
        assert seen.dtype == torch.uint8
        assert torch.equal(seen, view.apply(IMAGE))
        assert torch.equal(seen.flatten().sort().values, IMAGE.flatten())


def test_rotations_turn_counter_clockwise():
    """The top right pixel of the image is the top left one after a quarter turn; four turns are none."""
    turned = load_view("rotate90").apply(IMAGE)
    assert turned.shape == (3, 4, 2)
    assert turned[0, 0, 0] == IMAGE[0, 0, 3]
    assert torch.equal(load_view("rotate180").apply(IMAGE), load_view("rotate90").apply(turned))
    assert torch.equal(load_view("rotate90").apply(load_view("rotate270").apply(IMAGE)), IMAGE)


def test_flip_is_its_own_inverse():
    """Mirrored twice is the image."""
    flip = load_view("flip")
    assert torch.equal(flip.apply(flip.apply(IMAGE)), IMAGE)
    assert flip.apply(IMAGE)[0, 0, 0] == IMAGE[0, 0, 3]


def test_an_unknown_view_names_the_nearest():
    """A typing error."""
    with pytest.raises(UnknownName, match="rotate90"):
        load_view("rotate9")
