"""Views of an image."""

import pytest
import torch

from oodkit.errors import InvalidInput, UnknownName
from oodkit.views import load_view, resolution_view, views

IMAGE = torch.arange(3 * 2 * 4, dtype=torch.uint8).view(3, 2, 4)


@pytest.mark.parametrize("name", ["identity", "flip", "resolution32", "rotate90", "rotate180", "rotate270"])
def test_views_that_move_pixels_change_none(name):
    """What does not draw moves the pixels of a small image."""
    seen = load_view(name).apply(IMAGE)
    assert torch.equal(seen.flatten().sort().values, IMAGE.flatten())


@pytest.mark.parametrize("name", list(views))
def test_every_view_is_deterministic(name):
    """A view bears its name and gives the same uint8 pixels each time, without a change to the image."""
    image = torch.randint(256, (3, 9, 13), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    before = image.clone()
    view = load_view(name)
    seen = view.apply(image)
    assert view.name == name
    assert seen.dtype == torch.uint8
    assert seen.shape[0] == 3
    assert torch.equal(seen, load_view(name).apply(image))
    assert torch.equal(image, before)


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
