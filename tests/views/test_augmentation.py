"""Steps of random augmentation, and the views made of them."""

import pytest
import torch

from oodkit.views import load_view
from oodkit.views.augmentation import random_blur, random_colours, random_crop, random_flip, random_grey

IMAGE = torch.randint(256, (3, 40, 60), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def generators(count):
    return [torch.Generator().manual_seed(seed) for seed in range(count)]


def ramp(height, width):
    """Red says how far down a pixel is, green how far right, as a share of 250."""
    down = torch.linspace(0, 250, height)[:, None].expand(height, width)
    right = torch.linspace(0, 250, width)[None, :].expand(height, width)
    return torch.stack([down, right, torch.zeros(height, width)]).round().to(torch.uint8)


@pytest.mark.parametrize("scale", [(0.4, 1.0), (0.15, 0.4), (0.08, 1.0)])
def test_a_crop_is_a_square_of_its_share_of_the_area(scale):
    """The part's sides, read off a ramp, span a share of the area within the scale, at a ratio of 3/4 to 4/3."""
    image = ramp(240, 320)
    shares = []
    for generator in generators(60):
        seen = random_crop(image, scale, generator)
        assert seen.shape == (3, 240, 240)
        tall = (int(seen[0].max()) - int(seen[0].min())) / 250 * 240
        wide = (int(seen[1].max()) - int(seen[1].min())) / 250 * 320
        shares.append(tall * wide / (240 * 320))
        assert 0.7 < wide / tall < 1.4
    assert min(shares) > scale[0] - 0.03
    assert max(shares) < scale[1] + 0.03
    assert max(shares) - min(shares) > 0.6 * (scale[1] - scale[0])


def test_steps_happen_as_often_as_said():
    """Half of the flips, none of what has probability 0."""
    flipped = [not torch.equal(random_flip(IMAGE, generator), IMAGE) for generator in generators(200)]
    assert 70 < sum(flipped) < 130
    for generator in generators(5):
        assert random_colours(IMAGE, 0.4, 0.0, generator) is IMAGE
        assert random_grey(IMAGE, 0.0, generator) is IMAGE
        assert random_blur(IMAGE, 32, 0.0, generator) is IMAGE


def test_colours_keep_places_and_grey_has_no_colour():
    """One colour stays one colour; grey has three equal channels."""
    flat = torch.tensor([90, 120, 60], dtype=torch.uint8)[:, None, None].expand(3, 8, 8).contiguous()
    changed = [random_colours(flat, 0.4, 1.0, generator) for generator in generators(20)]
    assert all((seen == seen[:, :1, :1]).all() for seen in changed)
    assert len({tuple(seen[:, 0, 0].tolist()) for seen in changed}) > 10
    grey = random_grey(IMAGE, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(grey[0], grey[1])


def test_blur_grows_with_the_image():
    """The same draw blurs an image twice as large twice as far; flat stays flat."""
    spread = []
    for side in (64, 128):
        line = torch.zeros(3, side, side, dtype=torch.uint8)
        line[:, :, side // 2] = 255
        profile = random_blur(line, 16, 1.0, torch.Generator().manual_seed(3))[0, side // 2].double()
        places = torch.arange(side) - side // 2
        spread.append(float(((profile * places**2).sum() / profile.sum()).sqrt()))
    assert spread[0] > 1
    assert spread[1] / spread[0] == pytest.approx(2, rel=0.1)
    flat = torch.full((3, 20, 20), 77, dtype=torch.uint8)
    assert torch.equal(random_blur(flat, 16, 1.0, torch.Generator().manual_seed(3)), flat)


@pytest.mark.parametrize("name", ["mild1", "strong1", "global1", "global2", "local1"])
def test_views_are_squares_even_of_tiny_images(name):
    """A crop has the shorter side; one pixel is an image too."""
    assert load_view(name).apply(IMAGE).shape == (3, 40, 40)
    assert load_view(name).apply(IMAGE[:, :1, :1].contiguous()).shape == (3, 1, 1)


def test_strong_views_lose_more_than_mild_ones():
    """Detail, as the mean step between neighbours of a noise image, is lower in strong views."""

    def detail(name):
        return float(load_view(name).apply(IMAGE).float().diff(dim=2).abs().mean())

    mild = sum(detail(f"mild{i}") for i in range(1, 30))
    strong = sum(detail(f"strong{i}") for i in range(1, 30))
    assert strong < 0.8 * mild
