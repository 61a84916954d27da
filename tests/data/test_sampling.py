"""Seeded choices among images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oodkit.data.arrays import ArrayImageSet
from oodkit.data.sampling import halves, take
from oodkit.errors import InvalidInput, TooFewSamples


def image_set(count: int, labels: list[int] | None = None) -> ArrayImageSet:
    return ArrayImageSet("noise", "all", np.zeros((count, 1, 1), dtype=np.uint8), labels)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60), st.integers(0, 5))
def test_halves_share_no_image_and_both_have_every_class(labels: list[int], seed: int) -> None:
    """Together they are the set; sizes differ by one at most; a class of two or more is in both, evenly."""
    first, second = halves(image_set(len(labels), labels), seed)

    assert sorted([*first.ids, *second.ids]) == list(image_set(len(labels)).ids)
    assert 0 <= len(first) - len(second) <= 1
    assert list(first.ids) == sorted(first.ids)
    assert first.labels is not None
    assert second.labels is not None
    for label in set(labels):
        in_first, in_second = (first.labels == label).sum(), (second.labels == label).sum()
        assert abs(int(in_first) - int(in_second)) <= 1
        assert labels.count(label) < 2 or min(in_first, in_second) >= 1


def test_halves_depend_on_the_seed_alone() -> None:
    """One seed, one division, with labels or without; another seed, another."""
    for images in (image_set(100), image_set(100, [i % 3 for i in range(100)])):
        assert list(halves(images, 1)[0].ids) == list(halves(images, 1)[0].ids)
        assert list(halves(images, 1)[0].ids) != list(halves(images, 2)[0].ids)


def test_halves_are_not_every_second_image_as_they_stand() -> None:
    """Neighbours, often frames of one film, are not dealt out in turn."""
    assert list(halves(image_set(100), 0)[0].ids) != list(image_set(100).ids)[0::2]


def test_one_image_cannot_be_halved() -> None:
    """An empty half would be an error later on; it is one here."""
    with pytest.raises(TooFewSamples, match="noise has 1 image"):
        halves(image_set(1))


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 3))
def test_a_smaller_choice_is_part_of_a_larger_one(small: int, large: int, seed: int) -> None:
    """In order, without repetition, of the size asked for; embeddings of the smaller serve the larger."""
    small, large = sorted((small, large))
    images = image_set(25)
    few, many = take(images, small, seed), take(images, large, seed)
    assert len(few) == min(small, 25)
    assert list(few.ids) == sorted(set(few.ids))
    assert set(few.ids) <= set(many.ids)


def test_a_choice_of_all_is_the_set_itself() -> None:
    """Nothing is copied or renamed."""
    images = image_set(3)
    assert take(images, 3, 0) is images
    assert take(images, 4, 0) is images


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_an_error(limit: int) -> None:
    """No image is no data set."""
    with pytest.raises(InvalidInput, match=f"at least 1 image, got {limit}"):
        take(image_set(3), limit, 0)


def test_a_negative_seed_is_an_error_of_one_line() -> None:
    """NumPy's own error would be a traceback."""
    with pytest.raises(InvalidInput, match="seed must be 0 or more, got -1"):
        take(image_set(3), 1, -1)
    with pytest.raises(InvalidInput, match="seed must be 0 or more, got -1"):
        halves(image_set(3), -1)


def test_the_global_generator_is_left_alone() -> None:
    """Choosing draws no number from NumPy's global state."""
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]
    take(image_set(9), 3, 0)
    halves(image_set(9), 0)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index,union-attr]
