"""An order of rows that depends on their values alone."""

import numpy as np
from numpy.typing import NDArray


def row_order(features: NDArray[np.floating]) -> NDArray[np.intp]:
    """Places of the rows in an order that depends on their values alone; equal rows keep their order.

    Args:
        features: (N, D) float32 or float64.
    """
    # Most significant byte first, so that comparing bytes compares values up to their sign.
    big_endian = np.ascontiguousarray(features + 0.0, dtype=features.dtype.newbyteorder(">"))  # + 0.0: -0 becomes 0
    rows = big_endian.view(np.dtype((np.void, features.shape[1] * features.itemsize))).ravel()
    return np.argsort(rows, kind="stable")
