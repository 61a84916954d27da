"""Trivial cues of an image."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from oodkit.audit.cues import CUES, FILE_CUES, LOSSLESS, PIXEL_CUES, file_facts, pixel_cues


def encoded(image, kind, **options):
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def cues(pixels):
    return dict(zip(PIXEL_CUES, pixel_cues(np.asarray(pixels, dtype=np.uint8)), strict=True))


def test_the_file_says_size_format_and_quality(photograph):
    """Width, height, bytes per pixel and JPEG quality; a lossless format has a quality above all JPEG files."""
    image = photograph(0, 30, 20)
    data = encoded(image, "JPEG", quality=60)
    found = file_facts(data)
    assert found.format == "JPEG"
    assert found.cues.tolist() == [len(data) / 600, 30, 20, 600, 1.5, 60]
    assert file_facts(encoded(image, "PNG")).cues[FILE_CUES.index("jpeg_quality")] == LOSSLESS


def test_a_flat_image_has_its_colour_and_no_detail():
    """Means are the colour; what measures variation is 0."""
    found = cues(np.full((8, 8, 3), (200, 100, 50)))
    assert [found[f"mean_{name}"] for name in ("red", "green", "blue")] == [200, 100, 50]
    assert found["brightness"] == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, rel=1e-5)
    assert found["saturation"] == 150
    for name in ("contrast", "std_red", "edge_energy", "sharpness", "high_frequency_share", "grey_share"):
        assert found[name] == pytest.approx(0, abs=1e-4)


def test_grey_pixels_are_counted():
    """Half of the pixels are grey: channels within 8 levels; a grey image has no colourfulness."""
    pixels = np.zeros((4, 4, 3))
    pixels[:2] = (90, 98, 94)
    pixels[2:] = (90, 99, 94)
    assert cues(pixels)["grey_share"] == 0.5
    assert cues(np.repeat(np.arange(16).reshape(4, 4, 1), 3, axis=2))["colourfulness"] == 0


def test_the_laplacian_and_the_edges_by_hand():
    """One white pixel in a black 5 x 5: Laplacian -4 there and 1 at its neighbours; four unit edges."""
    pixels = np.zeros((5, 5, 3))
    pixels[2, 2] = 255
    laplacian = np.zeros(25)
    laplacian[:5] = (-4, 1, 1, 1, 1)
    found = cues(pixels)
    assert found["sharpness"] == pytest.approx(255**2 * laplacian.var(), rel=1e-5)
    variance = 255**2 * (1 / 25 - 1 / 625)
    assert found["edge_energy"] == pytest.approx(255**2 * 4 / 25 / variance, rel=1e-5)


def test_blur_takes_the_high_frequencies(photograph):
    """Stripes of one pixel are all high frequency, broad ones none; an enlarged photograph has less of it."""
    stripes = np.zeros((16, 16, 3))
    stripes[:, ::2] = 200
    assert cues(stripes)["high_frequency_share"] > 0.8
    slow = np.repeat((128 + 100 * np.cos(np.pi * (np.arange(16) + 0.5) / 16))[None, :, None], 16, axis=0)
    assert cues(np.repeat(slow, 3, axis=2))["high_frequency_share"] < 0.01
    image = photograph(3, 32, 32)
    enlarged = image.resize((64, 64), Image.Resampling.BICUBIC)
    assert cues(enlarged)["high_frequency_share"] < cues(image)["high_frequency_share"]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (3000, 5)])
def test_any_size_gives_finite_numbers(size):
    """Thin and tiny images are images."""
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    found = pixel_cues(pixels)
    assert found.shape == (len(CUES) - len(FILE_CUES),)
    assert np.isfinite(found).all()
