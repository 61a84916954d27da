"""Which images are set apart before a fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.detector.holdout import check_enough, split_by_content
from oodkit.errors import InvalidInput, TooFewSamples


def digests_of(contents):
    """A digest for each content."""
    return np.array([[content] * 32 for content in contents], dtype=np.uint8)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60), st.floats(0.05, 0.95), st.integers(0, 5))
def test_no_content_is_on_both_sides_and_none_is_lost(contents, share, seed):
    """Fit positions keep all copies; held-out ones have each content once."""
    distinct = len(set(contents))
    if not 0 < int(distinct * share + 1e-9) < distinct:
        with pytest.raises(TooFewSamples):
            split_by_content(digests_of(contents), share, seed)
        return
    kept, held = split_by_content(digests_of(contents), share, seed)
    on = [{contents[place] for place in side} for side in (kept, held)]
    assert not on[0] & on[1]
    assert on[0] | on[1] == set(contents)
    assert len(held) == len(on[1]) == int(distinct * share + 1e-9)
    assert len(kept) == sum(content in on[0] for content in contents)
    assert list(kept) == sorted(kept)


def test_every_image_is_held_out_equally_often():
    """Over seeds: no place is favoured."""
    counts = np.zeros(10)
    for seed in range(2000):
        counts[split_by_content(digests_of(range(10)), 0.3, seed)[1]] += 1
    np.testing.assert_allclose(counts / 2000, 0.3, atol=0.05)


def test_the_number_of_images_that_would_do():
    """It does, and one fewer does not."""
    check_enough(95, 0.2, 0.05)
    with pytest.raises(TooFewSamples, match=r"needs at least 19 calibration images, .* give at least 95 images"):
        check_enough(94, 0.2, 0.05)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        check_enough(94, 0.0, 0.05)
