"""Random views of training images."""

import pytest
import torch

from oodkit.training.crops import CropRecipe, MultiCrop, contrastive_view, mild_view, strong_view
from oodkit.training.draws import drawing
from oodkit.training.settings import SHIFTS


@pytest.fixture
def pixels():
    """An image of which every pixel is another one."""
    return torch.arange(3 * 16 * 16, dtype=torch.int64).remainder(256).to(torch.uint8).view(3, 16, 16)


def test_an_image_has_so_many_crops_of_these_sizes(pixels):
    """Two global and three local ones, and one and two shifted ones."""
    crops = MultiCrop(16, 8, local_crops=3, negative_local_crops=2, shift="rotate")
    with drawing(0):
        shapes = [part.shape for part in (*crops.positive(pixels), *crops.negative(pixels))]

    assert shapes == [(2, 3, 16, 16), (3, 3, 8, 8), (1, 3, 16, 16), (2, 3, 8, 8)]


def test_no_local_crops(pixels):
    """None are asked for, none come, and their shape still says their size."""
    with drawing(0):
        assert MultiCrop(16, 8, 0, 0, "rotate").positive(pixels)[1].shape == (0, 3, 8, 8)


@pytest.mark.parametrize("shift", SHIFTS)
def test_draws_repeat_with_their_seed(pixels, shift):
    """The same seed, the same pixels; another one, others."""
    recipe = CropRecipe(16, (0.4, 1.0), blur=0.5, solarise=0.2, full_size=16)

    def draw(seed):
        with drawing(seed):
            return recipe(pixels, shift)

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    assert draw(1).dtype == torch.uint8


@pytest.mark.parametrize("shift", ["patches2", "patches4", "pixels"])
def test_another_order_keeps_the_pixels(pixels, shift):
    """The shift comes last: it moves what the crop has and changes none of it."""
    recipe = CropRecipe(16, (0.4, 1.0), blur=0.0, solarise=0.0, full_size=16)
    with drawing(3):
        plain = recipe(pixels, "none")
    with drawing(3):
        moved = recipe(pixels, shift)

    assert not torch.equal(plain, moved)
    assert torch.equal(plain.flatten().sort().values, moved.flatten().sort().values)


@pytest.mark.parametrize("view", [contrastive_view, mild_view, strong_view])
def test_views_of_pairs_have_the_size_they_are_made_for(pixels, view):
    """uint8 squares."""
    with drawing(0):
        made = view(12)(pixels)

    assert made.shape == (3, 12, 12)
    assert made.dtype == torch.uint8
