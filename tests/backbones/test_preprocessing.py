"""Resizing, cropping and normalising."""

import numpy as np
import pytest
import torch
from PIL import Image

from oodkit.backbones import Preprocessing
from oodkit.backbones.preprocessing import pixels_of
from oodkit.errors import InvalidInput

HALF = (0.5, 0.5, 0.5)


def test_resize_and_crop_agree_with_pillow(photograph):
    """The short side is resized to `resize` and the centre cropped, within two grey levels of Pillow's bicubic."""
    image = photograph(0, 300, 200)
    ours = Preprocessing(size=112, resize=128, mean=HALF, std=HALF).fit([pixels_of(image)])[0]

    resized = image.resize((192, 128), Image.Resampling.BICUBIC)
    left, top = round((192 - 112) / 2), round((128 - 112) / 2)
    expected = pixels_of(resized.crop((left, top, left + 112, top + 112)))

    assert ours.shape == (3, 112, 112)
    assert (ours.int() - expected.int()).abs().max() <= 2


@pytest.mark.parametrize(("width", "height"), [(64, 48), (48, 64), (5, 9), (1, 1), (32, 32)])
def test_every_size_comes_out_square(photograph, width, height):
    """Images of any size and shape come out at the size asked for."""
    fitted = Preprocessing(size=28, resize=32, mean=HALF, std=HALF).fit([pixels_of(photograph(1, width, height))])
    assert fitted.shape == (1, 3, 28, 28)
    assert fitted.dtype == torch.uint8


def test_a_long_strip_keeps_its_middle_and_needs_little_memory():
    """A strip is cut to eight times its width around the centre before it is resized."""
    strip = Image.new("RGB", (1, 60_000), (9, 9, 9))
    strip.putpixel((0, 30_000), (200, 200, 200))
    fitted = Preprocessing(size=16, resize=16, mean=HALF, std=HALF).fit([pixels_of(strip)])
    assert fitted.shape == (1, 3, 16, 16)
    assert fitted.max() > 150


def test_a_batch_gives_what_its_images_give_alone(photograph):
    """Images of one size are resized together, with the result of one by one; mixed sizes keep their order."""
    preprocessing = Preprocessing(size=20, resize=24, mean=HALF, std=HALF)
    images = [pixels_of(photograph(i, 40, 30)) for i in range(3)] + [pixels_of(photograph(9, 30, 40))]
    together = torch.cat([preprocessing.fit(images[:3]), preprocessing.fit(images[3:])])
    alone = torch.cat([preprocessing.fit([image]) for image in images])
    assert torch.equal(together, alone)
    assert torch.equal(preprocessing.fit(images), alone)


def test_normalise_subtracts_the_mean_and_divides_by_the_deviation():
    """(x - mean) / std, channel by channel."""
    preprocessing = Preprocessing(size=2, resize=2, mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 1.0))
    pixels = torch.full((1, 3, 2, 2), 0.6)
    expected = torch.tensor([1.0, 1.6, 0.3]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    torch.testing.assert_close(preprocessing.normalise(pixels), expected)


def test_squash_resizes_both_sides(photograph):
    """In the mode "squash" the aspect ratio is given up and nothing is cropped."""
    image = photograph(3, 64, 32)
    squashed = Preprocessing(size=32, resize=32, mean=HALF, std=HALF, mode="squash").fit([pixels_of(image)])[0]
    expected = pixels_of(image.resize((32, 32), Image.Resampling.BICUBIC))
    assert (squashed.int() - expected.int()).abs().max() <= 2


def test_at_size_resizes_the_short_side_to_the_crop():
    """--image-size N resizes to N, crops N, and keeps mean and std."""
    changed = Preprocessing(size=224, resize=256, mean=HALF, std=HALF, interpolation="bilinear").at_size(64)
    assert (changed.size, changed.resize, changed.interpolation, changed.mean) == (64, 64, "bicubic", HALF)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 0, "resize": 8}, "image size"),
        ({"size": 16, "resize": 8}, "image size"),
        ({"size": 8, "resize": 8, "std": (0.5, 0.0, 0.5)}, "std must be positive"),
        ({"size": 8, "resize": 8, "interpolation": "lanczos"}, "bicubic, bilinear or nearest"),
    ],
)
def test_impossible_settings_are_refused(fields, message):
    """Sizes and constants that cannot work are one-line errors."""
    with pytest.raises(InvalidInput, match=message):
        Preprocessing(**{"mean": HALF, "std": HALF, **fields})


def test_a_tiny_image_size_is_refused():
    """Fewer than eight pixels is a mistake."""
    with pytest.raises(InvalidInput, match="at least 8 pixels, got 0"):
        Preprocessing(size=8, resize=8, mean=HALF, std=HALF).at_size(0)


def test_pixels_of_keeps_values():
    """An RGB image becomes channels first, value for value."""
    values = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(pixels_of(Image.fromarray(values)).numpy(), values.transpose(2, 0, 1))
