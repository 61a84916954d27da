"""scikit-learn's digits."""

import numpy as np
from sklearn.datasets import load_digits

from oodkit.data.digits import Digits


def test_digits_are_1797_grey_images_of_ten_classes() -> None:
    """8x8, classes "0" to "9", grey 0..16 scaled to 0..255 and rounded."""
    images = Digits().load("all")
    source = load_digits()

    assert len(images) == 1797
    assert images.class_names == tuple("0123456789")
    assert images.labels is not None
    np.testing.assert_array_equal(images.labels, source.target)
    expected = [[round(value * 255 / 16) for value in row] for row in source.images[3]]
    np.testing.assert_array_equal(np.asarray(images.open(3))[..., 0], expected)


def test_the_fingerprint_of_digits_is_that_of_their_pixels() -> None:
    """Two loads agree; without one image they do not."""
    images = Digits().load("all")
    assert images.fingerprint == Digits().load("all").fingerprint
    assert images.fingerprint != images.subset(range(1796)).fingerprint
