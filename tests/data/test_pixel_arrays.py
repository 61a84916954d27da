"""Arrays and tensors in the place of images."""

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from oodkit.data.image_list import as_image_set
from oodkit.errors import InvalidInput

RGB = np.random.default_rng(0).integers(0, 256, (3, 6, 9, 3), dtype=np.uint8)
CHANNELS_FIRST = torch.from_numpy(RGB).permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (RGB, "3 RGB images of 9 x 6 px, array (N, H, W, C) of uint8"),
        (RGB[:, ::-1][:, ::-1], "3 RGB images"),
        (RGB / 255, "array (N, H, W, C) of float64"),
        ((RGB / 255).astype(np.float32), "of float32"),
        (CHANNELS_FIRST, "3 RGB images of 9 x 6 px, tensor (B, C, H, W) of uint8"),
        (CHANNELS_FIRST.float() / 255, "tensor (B, C, H, W) of float32"),
        ((CHANNELS_FIRST.float() / 255).half(), "of float16"),
        ((CHANNELS_FIRST.float() / 255).requires_grad_(), "of float32"),
    ],
)
def test_batches_have_the_pixels_of_their_images(images, words, caplog):
    """Channels last in arrays, first in tensors; what was understood is logged and names the set."""
    with caplog.at_level(logging.INFO, "oodkit"):
        found = as_image_set(images)
    assert words in found.name
    assert found.name in caplog.text
    assert found.ids == ["image 0", "image 1", "image 2"]
    for number, pixels in enumerate(RGB):
        np.testing.assert_array_equal(np.asarray(found.open(number)), pixels)


@pytest.mark.parametrize(
    "item",
    [RGB[0], RGB[0] / 255, CHANNELS_FIRST[0], CHANNELS_FIRST[0].double() / 255, Image.fromarray(RGB[0])],
)
def test_one_image_alone_and_in_a_list(item):
    """Beside other kinds too."""
    for images in (item, [item]):
        np.testing.assert_array_equal(np.asarray(as_image_set(images).open(0)), RGB[0])


def test_grey_and_alpha():
    """Grey gets three equal channels, alpha is dropped, as of files."""
    grey = RGB[0, :, :, 0]
    for images in (grey, grey[:, :, None], torch.from_numpy(grey)[None], grey[:, :, None] / 255):
        np.testing.assert_array_equal(np.asarray(as_image_set(images).open(0)), np.repeat(grey[:, :, None], 3, 2))
    with_alpha = np.dstack([RGB[0], grey])
    np.testing.assert_array_equal(np.asarray(as_image_set(with_alpha).open(0)), RGB[0])


def test_an_array_of_paths_is_a_list_of_paths(tmp_path):
    """Text is not pixels."""
    Image.fromarray(RGB[0]).save(tmp_path / "a.png")
    for images in (np.array([str(tmp_path / "a.png")]), np.array([tmp_path / "a.png"], dtype=object)):
        np.testing.assert_array_equal(np.asarray(as_image_set(images).open(0)), RGB[0])


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((5, 3, 6, 9), np.uint8), r"channels first: use .transpose\(1, 2, 0\)"),
        (np.zeros((3, 6, 9), np.uint8), r"channels first: use .transpose\(1, 2, 0\)"),
        (torch.zeros(6, 9, 3), r"channels last: use .permute\(2, 0, 1\)"),
        (np.zeros((3, 6, 3), np.uint8), "could have channels first or last"),
        (torch.zeros(3, 6, 4), "could have channels first or last"),
        (np.zeros((6, 9)), "could be a grey image or features"),
        (torch.zeros(6, 9), r"cannot be images: tensors are \(C, H, W\)"),
        (np.zeros(7), "cannot be images: arrays are"),
        (np.zeros((0, 6, 9, 3)), "cannot be images"),
        (np.zeros((6, 9, 3), np.int64), "must be uint8 or floats in .0, 1., got int64"),
        (np.zeros((6, 9, 3), bool), "got bool"),
        (RGB.astype(np.float32), "got 0 to 255; divide by 255"),
        (CHANNELS_FIRST.float() / 127.5 - 1, "got -1 to 1; give them as they are before normalisation"),
        (np.full((6, 9, 3), np.nan), r"must lie in \[0, 1\], got nan"),
        ([RGB], "item 0 .* is a batch; give it alone"),
        ([Image.fromarray(RGB[0]), np.zeros((6, 9))], "item 1 of shape .* could be a grey image or features"),
        (3, "got int"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(images, message):
    """In one line, with what to do."""
    with pytest.raises(InvalidInput, match=message) as caught:
        as_image_set(images)
    assert "\n" not in str(caught.value)
