"""The quality setting of a JPEG file, read from its quantisation tables."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Luminance table of the JPEG standard (ITU-T T.81, annex K.1), which the IJG library scales by its quality setting.
_STANDARD = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
).ravel()


def jpeg_quality(tables: Mapping[int, Sequence[int]]) -> int | None:
    """The IJG quality, 1 to 100, whose luminance table is nearest to the first of a file's tables.

    Exact for files of the IJG library and those that follow it, such as Pillow; an estimate for encoders with tables
    of their own.

    Args:
        tables: 64 numbers each, as Pillow gives them: in row order since version 8.3.

    Returns:
        None without a table of 64 numbers.
    """
    if not tables:
        return None
    luminance = np.asarray(tables[min(tables)], dtype=np.float64)
    if luminance.shape != (64,):
        return None
    return 1 + int(np.abs(np.log(_TABLES) - np.log(np.maximum(luminance, 1))).mean(axis=1).argmin())


def _scaled(quality: int) -> NDArray[np.int64]:
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    table: NDArray[np.int64] = np.clip((_STANDARD * percent + 50) // 100, 1, 255)
    return table


_TABLES = np.stack([_scaled(quality) for quality in range(1, 101)])  # (100, 64)
