"""Views of an image."""

import pytest
import torch

from oodkit.errors import InvalidInput, UnknownName
from oodkit.views import load_view, resolution_view, views

IMAGE = torch.arange(3 * 2 * 4, dtype=torch.uint8).view(3, 2, 4)


def test_every_view_is_deterministic_and_keeps_the_pixels():
    """The built-in views move the pixels of a small image and change none."""
    for name in views:
        view = load_view(name)
        seen = view.apply(IMAGE)
        assert view.name == name
        assert seen.dtype == torch.uint8
        assert torch.equal(seen, view.apply(IMAGE))
        assert torch.equal(seen.flatten().sort().values, IMAGE.flatten())


def test_a_resolution_shrinks_the_shorter_side_and_keeps_the_aspect_ratio():
    """60 x 90 pixels at resolution 20 are 20 x 30; one grey level stays that; a smaller image is not touched."""
    grey = torch.full((3, 60, 90), 77, dtype=torch.uint8)
    view = load_view(resolution_view(20))
    assert view.name == "resolution20"
    assert torch.equal(view.apply(grey), torch.full((3, 20, 30), 77, dtype=torch.uint8))
    assert torch.equal(view.apply(grey.transpose(1, 2)), torch.full((3, 30, 20), 77, dtype=torch.uint8))
    assert view.apply(IMAGE) is IMAGE


def test_a_resolution_leaves_no_finer_detail():
    """Stripes of one pixel become their mean: the shrinking is antialiased."""
    stripes = torch.zeros(3, 64, 64, dtype=torch.uint8)
    stripes[:, :, ::2] = 200
    seen = load_view("resolution8").apply(stripes)[:, 1:-1, 1:-1].int()
    assert (seen - 100).abs().max() <= 3


@pytest.mark.parametrize("side", [0, -32, 3, 100_000])
def test_a_resolution_that_makes_no_sense_is_refused(side):
    """A number of pixels that leaves an image."""
    with pytest.raises(InvalidInput, match="from 4 to 99999"):
        resolution_view(side)


@pytest.mark.parametrize("name", ["resolution", "resolution0", "resolution032", "resolution3", "resolution-8"])
def test_other_names_are_not_of_the_family(name):
    """One name per view, since it is part of the key of what is stored."""
    assert name not in views
    with pytest.raises(UnknownName, match="resolution32"):
        load_view(name)


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
