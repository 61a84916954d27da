"""Negative words: those of a list that are far from the class names (NegLabel, Jiang et al., ICLR 2024)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.errors import InvalidInput
from oodkit.scorers.checks import check_number
from oodkit.scorers.rows import as_tensor, check_finite, floating
from oodkit.scorers.unit_rows import unit_rows

BLOCK_BYTES = 32 * 2**20  # similarities that are held at once


def mine_negatives(
    words: Any, text: Any, *, kinds: Sequence[str] | None = None, quantile: float = 0.95, share: float = 0.15
) -> NDArray[np.int64]:
    """Which words to use as negatives: of each kind, the share that is least similar to the class names.

    A word's similarity to the names is the quantile of its cosines with them, interpolated between the two nearest;
    a high quantile and not the largest, so that one name that happens to be near does not rule a word out. Nor does
    it rule out a class name itself: leave these out of the list.

    Args:
        words: (W, J) text embeddings of the words, in any form that a scorer takes, also memory-mapped.
        text: (C, J) text embeddings of the class names.
        kinds: the kind of each word, such as "noun" or "adj", each of which is mined by itself; None for one kind.
        quantile: in [0, 1].
        share: in (0, 1]; of W words of a kind, floor(share W) are kept, and at least one.

    Returns:
        (M,) indices of the negatives among the words, ascending. Of equally similar words the first are kept.

    Raises:
        InvalidInput: no words, widths that differ, values that are not finite, or a number out of range.
    """
    check_number("quantile", quantile, "in [0, 1]", lambda number: 0 <= number <= 1)
    check_number("share", share, "above 0 and at most 1", lambda number: 0 < number <= 1)
    rows, names = as_tensor(words, "words"), as_tensor(text, "text")
    if len(rows) == 0 or len(names) == 0:
        raise InvalidInput(f"mining needs words and class names, got {len(rows)} and {len(names)}")
    if rows.shape[1] != names.shape[1]:
        raise InvalidInput(f"words have width {rows.shape[1]}, class names {names.shape[1]}; embed both alike")
    check_finite(rows, "words")
    check_finite(names, "text")
    kind_of = np.zeros(len(rows), dtype=np.int64) if kinds is None else np.unique(kinds, return_inverse=True)[1]
    if len(kind_of) != len(rows):
        raise InvalidInput(f"there are {len(rows)} words, but {len(kind_of)} kinds; give one per word")
    similarity = _similarities(rows, names, quantile)
    kept = []
    for kind in range(int(kind_of.max()) + 1):
        members = np.flatnonzero(kind_of == kind)
        count = max(1, int(share * len(members)))
        kept.append(members[np.argsort(similarity[members], kind="stable")[:count]])
    return np.sort(np.concatenate(kept))


def _similarities(words: Tensor, names: Tensor, quantile: float) -> NDArray[np.float64]:
    """(W,) the quantile of each word's cosines with the names."""
    unit_names = unit_rows(names.double())
    per_block = max(1, BLOCK_BYTES // (8 * (words.shape[1] + len(names))))
    with torch.no_grad():
        blocks = [
            np.quantile((unit_rows(floating(block).double()) @ unit_names.T).cpu().numpy(), quantile, axis=1)
            for block in torch.split(words, per_block)
        ]
    return np.concatenate(blocks)
