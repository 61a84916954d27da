"""JPEG quality from quantisation tables."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from oodkit.audit.jpeg import jpeg_quality


@pytest.mark.parametrize("quality", [5, 30, 50, 75, 90, 95, 100])
def test_it_is_the_setting_that_the_file_was_saved_with(quality, photograph):
    """Pillow's own files give their quality back, exactly."""
    stream = BytesIO()
    photograph(1).save(stream, "JPEG", quality=quality)
    assert jpeg_quality(Image.open(stream).quantization) == quality


def test_foreign_tables_are_estimated():
    """A table that is a little off belongs to the nearest quality; one without 64 numbers to none."""
    stream = BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(stream, "JPEG", quality=60)
    table = np.array(Image.open(stream).quantization[0])
    table[:5] += 1
    assert jpeg_quality({0: table.tolist()}) in (59, 60)
    assert jpeg_quality({}) is None
    assert jpeg_quality({0: [1, 2, 3]}) is None
