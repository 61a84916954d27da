"""Images of two sets that are nearly the same picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from oodkit.audit.facts import Facts
from oodkit.audit.perceptual_hash import near_hashes, perceptual_hash
from oodkit.progress import progress

RADIUS = 14  # of 63 signs: chance meets it in one of some ten thousand pairs of photographs
LEAST_CORRELATION = 0.85
LEAST_DETAIL = 0.7
LEAST_COSINE = 0.9
MOST_CANDIDATES = 1_000_000
_BLUR = 2.0  # pixels of the 32 x 32 copy; what is finer counts as detail
_BLOCK = 2048
_BLOCK_BYTES = 2**26


@dataclass(frozen=True)
class Pair:
    """Two images that are nearly the same picture.

    Attributes:
        left: position in the first set.
        right: position in the second set.
        correlation: of the grey values of both at 32 x 32 pixels, at most 1.
        detail: the same of what is finer than a blur.
        mirrored: whether one is the mirror image of the other.
        identical: whether both files hold the same bytes.
    """

    left: int
    right: int
    correlation: float
    detail: float
    mirrored: bool
    identical: bool


def near_duplicates(
    a: Facts,
    b: Facts,
    features: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> tuple[list[Pair], bool]:
    """Pairs of near-duplicates between two sets, the most alike first.

    Candidates are all pairs whose perceptual hashes differ in at most 14 of 63 signs, as they are or mirrored, and,
    where features are given, those whose features have a cosine of at least 0.9. A candidate counts if the grey values
    of both at 32 x 32 pixels correlate by at least 0.85, and their details, what a blur by 2 pixels takes away, by at
    least 0.7. So re-encoded, resized, mirrored, brightened and recoloured copies are found; crops and turned copies are
    not. Simple drawings, such as handwritten digits, can be that much alike without being copies.

    Args:
        a: facts of the first set.
        b: facts of the second set.
        features: (N, D) and (M, D) features of the same images, to find more candidates with.

    Returns:
        The pairs, and whether there were more candidates than the 1,000,000 that are looked at, nearest hashes first.
    """
    near = list(near_hashes(perceptual_hash(a.thumbs), perceptual_hash(b.thumbs), RADIUS))
    codes, cut = _nearest(
        np.concatenate([left * len(b) + right for left, right, _ in near]),
        np.concatenate([distance for *_, distance in near]),
    )
    parts = [_same_bytes(a, b), *(_near_features(*features) if features is not None else ())]
    codes = np.unique(np.concatenate([codes, *(left * len(b) + right for left, right in parts)]))
    pairs: list[Pair] = []
    with progress("looking at pairs", len(codes), unit="pairs") as advance:
        for start in range(0, len(codes), _BLOCK):
            block = codes[start : start + _BLOCK]
            pairs += _verified(a, b, block // len(b), block % len(b))
            advance(len(block))
    return sorted(pairs, key=lambda pair: (-pair.identical, -pair.detail, pair.left, pair.right)), cut


def _nearest(codes: NDArray[np.int64], distances: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool]:
    """The candidates that are looked at, and whether some are not."""
    if len(codes) <= MOST_CANDIDATES:
        return codes, False
    return codes[np.argsort(distances, kind="stable")[:MOST_CANDIDATES]], True


def _same_bytes(a: Facts, b: Facts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    places: dict[bytes, list[int]] = {}
    for j, digest in enumerate(b.digests):
        places.setdefault(digest.tobytes(), []).append(j)
    found = [(i, j) for i, digest in enumerate(a.digests) for j in places.get(digest.tobytes(), ())]
    both = np.array(found, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _near_features(a: NDArray[Any], b: NDArray[Any]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    unit_b = _unit(b)
    rows = max(1, _BLOCK_BYTES // (4 * max(1, len(b))))
    with progress("comparing features", len(a)) as advance:
        for start in range(0, len(a), rows):
            block = _unit(a[start : start + rows])
            left, right = np.nonzero(block @ unit_b.T >= LEAST_COSINE)
            yield left + start, right
            advance(len(block))


def _verified(a: Facts, b: Facts, left: NDArray[np.int64], right: NDArray[np.int64]) -> list[Pair]:
    first, second = a.thumbs[left].astype(np.float32), b.thumbs[right].astype(np.float32)
    turned = second[:, :, ::-1]
    plain, mirrored = _correlation(first, second), _correlation(first, turned)
    is_mirrored = mirrored > plain
    second = np.where(is_mirrored[:, None, None], turned, second)
    whole, fine = np.maximum(plain, mirrored), _correlation(_detail(first), _detail(second))
    same = (a.digests[left] == b.digests[right]).all(axis=1)
    whole, fine = np.where(same, 1, whole), np.where(same, 1, fine)
    is_mirrored &= ~same
    kept = np.flatnonzero((whole >= LEAST_CORRELATION) & (fine >= LEAST_DETAIL))
    return [
        Pair(
            int(left[k]),
            int(right[k]),
            min(1.0, float(whole[k])),
            min(1.0, float(fine[k])),
            bool(is_mirrored[k]),
            bool(same[k]),
        )
        for k in kept
    ]


def _detail(images: NDArray[np.float32]) -> NDArray[np.float32]:
    fine: NDArray[np.float32] = images - gaussian_filter(images, (0, _BLUR, _BLUR))
    return fine


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (_unit(_centred(a)) * _unit(_centred(b))).sum(axis=1)
    return found


def _centred(images: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = images.reshape(len(images), -1)
    centred: NDArray[np.float32] = flat - flat.mean(axis=1, keepdims=True)
    return centred


def _unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows of length 1; one that is hardly there, as of a flat image, becomes 0 and is near to none."""
    rows = np.asarray(rows, dtype=np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-3)
    return unit
