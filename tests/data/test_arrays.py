"""Image sets that are arrays of pixels."""

import numpy as np
import pytest

from oodkit.data.arrays import ArrayImageSet
from oodkit.data.images import decode_image


@pytest.mark.parametrize("shape", [(4, 5, 7), (4, 5, 7, 3)], ids=["grey", "rgb"])
def test_reading_and_opening_give_the_same_pixels(shape: tuple[int, ...]) -> None:
    """The PNM that is read decodes to the pixels that are opened, which are those of the array."""
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images = ArrayImageSet("noise", "all", pixels)
    for i, expected in enumerate(pixels):
        rgb = expected if expected.ndim == 3 else np.dstack([expected] * 3)
        np.testing.assert_array_equal(np.asarray(images.open(i)), rgb)
        np.testing.assert_array_equal(np.asarray(decode_image(images.read(i), "x")), rgb)
        assert images.open(i).mode == "RGB"


def test_the_encoding_is_binary_pnm() -> None:
    """Header with width before height, then the pixels."""
    assert ArrayImageSet("x", "all", np.array([[[1, 2, 3]]], dtype=np.uint8)).read(0) == b"P5\n3 1\n255\n\1\2\3"
    assert ArrayImageSet("x", "all", np.array([[[[1, 2, 3]]]], dtype=np.uint8)).read(0) == b"P6\n1 1\n255\n\1\2\3"


def test_ids_are_positions_of_equal_length() -> None:
    """So that they sort as they stand."""
    images = ArrayImageSet("x", "all", np.zeros((11, 1, 1), dtype=np.uint8))
    assert images.ids[1] == "01"
    assert images.ids[10] == "10"
