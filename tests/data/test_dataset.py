"""Splits: how words find them."""

import numpy as np
import pytest

from oodkit.data.arrays import ArrayImageSet
from oodkit.data.dataset import Dataset
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound, InvalidInput


class WithSplits(Dataset):
    """A data set of one black pixel per split."""

    name = "some"
    class_names = None
    origin = "nowhere"

    def __init__(self, *splits: str) -> None:
        self.splits = splits

    def _load(self, split: str) -> ImageSet:
        return ArrayImageSet(self.name, split, np.zeros((1, 1, 1), dtype=np.uint8))


@pytest.mark.parametrize(
    ("splits", "word", "found"),
    [
        (("train", "test"), "test", "test"),
        (("train", "Test"), "test", "Test"),
        (("Test", "test"), "test", "test"),
        (("train", "validation"), "test", "validation"),
        (("train", "validation"), "val", "validation"),
        (("train", "val", "test"), "test", "test"),
        (("train", "val"), "validation", "val"),
        (("training", "testing"), "train", "training"),
        (("training", "testing"), "test", "testing"),
        (("Test", "TEST"), "test", "Test"),
        (("train", "test"), "val", None),
        (("train", "test"), "tset", None),
        (("train", "extra"), "test", None),
    ],
)
def test_a_word_finds_a_split(splits: tuple[str, ...], word: str, found: str | None) -> None:
    """Its own name first, then without regard to case; validation stands in for test, never test for validation."""
    assert WithSplits(*splits).find_split(word) == found


def test_the_default_is_the_test_split_or_the_only_one() -> None:
    """With several and no test split, one must be named."""
    assert WithSplits("train", "test").default_split == "test"
    assert WithSplits("train", "val").default_split == "val"
    assert WithSplits("train").default_split == "train"
    with pytest.raises(InvalidInput, match="has no test split; it has: train, extra; name one, as in some:train"):
        WithSplits("train", "extra").default_split  # noqa: B018


def test_a_split_that_does_not_exist_is_answered_with_those_that_do() -> None:
    """One line, with where the data lies: a copy may lack what the original has."""
    with pytest.raises(DataNotFound, match=r"some \(nowhere\) has no split 'foo'; it has: train, test") as caught:
        WithSplits("train", "test").load("foo")
    assert len(str(caught.value).splitlines()) == 1
