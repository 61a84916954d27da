"""Trivial cues of one image: numbers that know nothing of what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from oodkit.audit.jpeg import jpeg_quality

LOSSLESS = 101  # as JPEG quality of a file that is no JPEG
LARGEST_CUT = 1024  # pixels a side that are looked at: the middle of larger images
LARGEST_SPECTRUM = 256
_GREY_SPREAD = 8  # between channels, in grey levels, up to which a pixel counts as grey

# Of the file: a backbone sees them through their traces in the pixels at most.
FILE_CUES = ("bytes_per_pixel", "width", "height", "resolution", "aspect_ratio", "jpeg_quality")
# Of the pixels that a backbone is given.
PIXEL_CUES = (
    "mean_red",
    "mean_green",
    "mean_blue",
    "brightness",
    "contrast",
    "std_red",
    "std_green",
    "std_blue",
    "saturation",
    "colourfulness",
    "grey_share",
    "edge_energy",
    "sharpness",
    "high_frequency_share",
)
CUES = FILE_CUES + PIXEL_CUES

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow converts to grey


@dataclass(frozen=True)
class FileFacts:
    """What the header of an encoded image says: its format's name, and the values of `FILE_CUES`."""

    format: str
    cues: NDArray[np.float64]


def file_facts(data: bytes) -> FileFacts:
    """Format and file cues of an encoded image that can be decoded; nothing of it is decoded here.

    - bytes_per_pixel: size of the file per pixel, metadata included.
    - width, height, resolution (width times height), aspect_ratio (width by height): as stored, in pixels.
    - jpeg_quality: estimated, 1 to 100; 101 for other formats.
    """
    with Image.open(BytesIO(data)) as image:
        tables: Mapping[int, list[int]] = getattr(image, "quantization", None) or {}
        width, height = image.size
        name = image.format or "unknown"
    quality = jpeg_quality(tables) or LOSSLESS
    pixels = width * height
    return FileFacts(name, np.array([len(data) / pixels, width, height, pixels, width / height, quality]))


def pixel_cues(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The values of `PIXEL_CUES` of RGB pixels (H, W, 3); of an image above 1024 pixels a side, of its middle.

    - mean_red, std_red and so on: of each channel, in grey levels.
    - brightness, contrast: mean and standard deviation of the luma.
    - saturation: mean difference of a pixel's largest and smallest channel.
    - colourfulness: Hasler and Suesstrunk's M3 (Human Vision and Electronic Imaging, 2003).
    - grey_share: share of pixels whose channels differ by at most 8 grey levels.
    - edge_energy: mean squared difference of neighbours, over the variance; 0 for a flat image.
    - sharpness: variance of the Laplacian (four neighbours).
    - high_frequency_share: share of the luma's variance in the upper half of the frequencies of either axis, by the
      cosine transform of at most 256 x 256 pixels in the middle.
    """
    cut = _middle(pixels, LARGEST_CUT).astype(np.float32)
    flat = cut.reshape(-1, 3)
    mean, std = flat.mean(axis=0), flat.std(axis=0)
    luma = cut @ _LUMA
    spread = flat.max(axis=1) - flat.min(axis=1)
    values = [*mean, luma.mean(), luma.std(), *std, spread.mean(), _colourfulness(flat)]
    values += [(spread <= _GREY_SPREAD).mean(), *_detail(luma), _high_frequency_share(luma)]
    return np.array(values, dtype=np.float64)


def _colourfulness(flat: NDArray[np.float32]) -> float:
    red_green = flat[:, 0] - flat[:, 1]
    yellow_blue = (flat[:, 0] + flat[:, 1]) / 2 - flat[:, 2]
    deviation = np.hypot(red_green.std(), yellow_blue.std())
    return float(deviation + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def _detail(luma: NDArray[np.float32]) -> tuple[float, float]:
    """Edge energy and variance of the Laplacian; pixels beyond the border equal those on it."""
    framed = np.pad(luma, 1, mode="edge")
    middle = framed[1:-1, 1:-1]
    right, below = framed[1:-1, 2:] - middle, framed[2:, 1:-1] - middle
    laplacian = right + below + framed[1:-1, :-2] + framed[:-2, 1:-1] - 2 * middle
    variance = float(luma.var())
    edges = float((right**2 + below**2).mean())
    return (edges / variance if variance > 1e-3 else 0.0), float(laplacian.var())


def _high_frequency_share(luma: NDArray[np.float32]) -> float:
    cut = _middle(luma, LARGEST_SPECTRUM)
    energy = dctn(cut - cut.mean(), norm="ortho") ** 2
    whole = float(energy.sum())
    low = float(energy[: (cut.shape[0] + 1) // 2, : (cut.shape[1] + 1) // 2].sum())
    return max(0.0, 1 - low / whole) if whole > 1e-3 * cut.size else 0.0


def _middle(pixels: NDArray[np.generic], side: int) -> NDArray[np.generic]:
    top, left = (max(0, (length - side) // 2) for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]
