"""Patches and pixels in another order."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oodkit.errors import InvalidInput
from oodkit.views import load_view
from oodkit.views.permutation import other_order, permuted_patches

NAMES = ["patches2_1", "patches4_1", "pixels1"]


def noise(height, width, seed=0):
    return torch.randint(256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NAMES)
@given(st.integers(4, 17), st.integers(4, 17), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_each_pixel_is_kept_with_its_three_colours(name, height, width, seed):
    """Shape and the multiset of RGB triples are kept; the image is not."""
    image = noise(height, width, seed)
    moved = load_view(name).apply(image)
    assert moved.shape == image.shape
    assert sorted(map(tuple, moved.flatten(1).T.tolist())) == sorted(map(tuple, image.flatten(1).T.tolist()))
    assert not torch.equal(moved, image)


@pytest.mark.parametrize("per_side", [2, 4])
def test_patches_are_kept_whole(per_side):
    """Each patch of the result is one of the image's; what fills no patch stays in place."""
    image = noise(3 * per_side + 1, 2 * per_side)
    moved = permuted_patches(image, torch.Generator().manual_seed(0), per_side)

    def patches(pixels):
        inner = pixels[:, : 3 * per_side]
        return sorted(p.flatten().tolist() for row in inner.split(3, 1) for p in row.split(2, 2))

    assert patches(moved) == patches(image)
    assert torch.equal(moved[:, 3 * per_side :], image[:, 3 * per_side :])


def test_the_order_is_never_that_of_the_image_and_any_other_as_often():
    """Of the orders of three things, five are drawn, each about as often."""
    generator = torch.Generator().manual_seed(0)
    drawn = [tuple(other_order(3, generator).tolist()) for _ in range(1000)]
    counts = {order: drawn.count(order) for order in drawn}
    assert (0, 1, 2) not in counts
    assert len(counts) == 5
    assert min(counts.values()) > 150


def test_an_image_that_is_too_small_is_refused():
    """Three pixels have no four patches; one pixel has one order."""
    with pytest.raises(InvalidInput, match="3 x 8 pixels has no 4 x 4 patches"):
        load_view("patches4_1").apply(noise(8, 3))
    with pytest.raises(InvalidInput, match="one pixel"):
        load_view("pixels1").apply(noise(1, 1))
