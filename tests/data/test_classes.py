"""What a choice of classes means, and the images it leaves."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oodkit.data.classes import ClassSubset, ClassSubsetDataset, resolve_classes
from oodkit.data.digits import Digits
from oodkit.data.files import FileImageSet
from oodkit.data.folder import FolderDataset
from oodkit.errors import DataNotFound, InvalidInput, UnknownName
from tests.data.pictures import write_pictures

ANIMALS = ("ant", "bee", "ice-cream", "cat", "dog")
DIGITS = tuple("0123456789")


@pytest.mark.parametrize(
    ("wanted", "names", "labels"),
    [
        (["bee"], ANIMALS, (1,)),
        (["dog", "ant"], ANIMALS, (0, 4)),
        (["0", "3-4"], ANIMALS, (0, 3, 4)),
        (["1-3", "bee", "2"], ANIMALS, (1, 2, 3)),
        (["ice-cream"], ANIMALS, (2,)),
        (["2-2"], ANIMALS, (2,)),
        (["0-4"], DIGITS, (0, 1, 2, 3, 4)),
        (["7"], DIGITS, (7,)),
        # Numbers mean names where all names are numbers: here position 2 is "10".
        (["2"], ("0", "1", "10", "2"), (3,)),
        (["1-10"], ("0", "1", "10", "2"), (1, 2, 3)),
        (["5"], ("00004", "00005"), (1,)),
        (["1990-1992"], ("1990", "1992"), (0, 1)),
        # Age groups: the names are no positions of this set, so nothing is ambiguous.
        (["10-19"], ("0-9", "10-19", "20-29"), (1,)),
        # Two classes of one name, as ImageNet's cranes.
        (["crane"], ("crane", "dog", "crane"), (0, 2)),
        # A name that is a number and stands at its own position.
        (["1"], ("zero", "1"), (1,)),
    ],
)
def test_items_mean_classes(wanted: list[str], names: tuple[str, ...], labels: tuple[int, ...]) -> None:
    """A name, a position, a range of positions with both ends; numbers are names where all names are numbers."""
    assert resolve_classes(wanted, names, "x") == labels


@pytest.mark.parametrize(
    ("item", "names", "message"),
    [
        ("dgo", ANIMALS, r"no class 'dgo' in x; did you mean 'dog'\? its 5 classes are numbered 0 to 4"),
        ("5", ANIMALS, "no class '5' in x; its 5 classes are numbered 0 to 4"),
        ("3-5", ANIMALS, "no class '3-5' in x.* numbered 0 to 4"),
        ("8-12", DIGITS, "numbered 0 to 9"),
        ("1993-2000", ("1990", "1994"), "numbered 1990 to 1994"),
        ("1991-1993", ("1990", "1994"), "no class '1991-1993'"),
        ("-1", ANIMALS, "no class '-1'"),
        ("9" * 5000, ANIMALS, "no class"),
        ("dog:train", ANIMALS, "stands before the classes, as in x:train@dog"),
    ],
)
def test_a_class_that_does_not_exist_is_answered_with_those_that_do(
    item: str, names: tuple[str, ...], message: str
) -> None:
    """The nearest names and the range of numbers."""
    with pytest.raises(UnknownName, match=message):
        resolve_classes([item], names, "x")


def test_a_reversed_range_is_an_error() -> None:
    """It says how the range is written."""
    with pytest.raises(InvalidInput, match="'4-0' of classes is reversed; write 0-4"):
        resolve_classes(["4-0"], DIGITS, "digits")


@pytest.mark.parametrize(
    ("item", "names", "by_name", "by_position"),
    [
        ("1", ("1", "zebra"), ["0-0"], ["1-1"]),
        ("0-1", ("ant", "bee", "0-1"), ["2-2"], ["0-0", "1-1"]),
    ],
)
def test_an_item_with_two_meanings_is_an_error_that_shows_how_to_write_both(
    item: str, names: tuple[str, ...], by_name: list[str], by_position: list[str]
) -> None:
    """Where a name is also another class's position, neither is guessed; what the message proposes works."""
    with pytest.raises(InvalidInput, match="position") as caught:
        resolve_classes([item], names, "x")
    message = str(caught.value)
    assert f"write {','.join(by_name)} for the name, or {','.join(by_position)} for the position" in message
    assert [names[i] for i in resolve_classes(by_name, names, "x")] == [item]
    assert item not in [names[i] for i in resolve_classes(by_position, names, "x")]


def test_a_data_set_without_classes_has_none_to_choose() -> None:
    """The message names what to leave out."""
    with pytest.raises(InvalidInput, match="photos has no classes to choose from; leave out '@cat'"):
        resolve_classes(["cat"], (), "photos")


@given(st.lists(st.text("abc1-", min_size=1, max_size=3), min_size=1, max_size=6, unique=True), st.data())
def test_every_class_can_be_chosen_by_its_position(names: list[str], data: st.DataObject) -> None:
    """`k-k` means the class at position k, unless numbers are names or a class is called so."""
    position = data.draw(st.integers(0, len(names) - 1))
    assume(not all(name.isdigit() for name in names))
    assume(f"{position}-{position}" not in names)
    assert resolve_classes([f"{position}-{position}"], names, "x") == (position,)


def test_labels_are_numbered_anew_in_the_order_of_classes() -> None:
    """Images keep their order; the labels count the chosen classes from 0."""
    whole = Digits().load("all")
    part = ClassSubset(whole, (3, 7), "digits@7,3")
    assert whole.labels is not None
    assert part.labels is not None
    assert (part.name, part.class_names) == ("digits@7,3", ("3", "7"))
    kept = [i for i, label in enumerate(whole.labels) if label in (3, 7)]
    np.testing.assert_array_equal(part.labels, [0 if whole.labels[i] == 3 else 1 for i in kept])
    assert part.labels.dtype == np.int64
    assert [part.read(i) for i in (0, 50)] == [whole.read(kept[i]) for i in (0, 50)]


def test_a_data_set_by_classes_keeps_its_splits(tmp_path: Path) -> None:
    """Each split is cut to the same classes."""
    write_pictures(tmp_path, [f"{s}/{c}/1.png" for s in ("train", "test") for c in ("ant", "bee", "cat")])
    dataset = ClassSubsetDataset(FolderDataset(tmp_path, "pets"), ("cat", "0"), "pets@cat,0")
    assert dataset.class_names == ("ant", "cat")
    assert list(dataset.load("train").ids) == ["train/ant/1.png", "train/cat/1.png"]
    assert list(dataset.load("test").ids) == ["test/ant/1.png", "test/cat/1.png"]


def test_the_default_split_is_that_of_the_whole() -> None:
    """A data set that says itself which split is meant says so for its classes too."""

    class Unusual(Digits):
        splits = ("odd", "even")
        default_split = "even"

    assert ClassSubsetDataset(Unusual(), ("0",), "x@0").default_split == "even"


def test_classes_without_an_image_or_a_label_are_an_error(tmp_path: Path) -> None:
    """A split that has no image of the chosen classes, or no labels at all, gives no empty set."""
    write_pictures(tmp_path, ["train/ant/1.png", "test/bee/1.png"])
    dataset = ClassSubsetDataset(FolderDataset(tmp_path, "x"), ("ant",), "x@ant")
    with pytest.raises(DataNotFound, match="no image in the split 'test' of x"):
        dataset.load("test")
    with pytest.raises(InvalidInput, match="has no labels"):
        ClassSubset(FileImageSet("x", "all", tmp_path, ["a.png"]), (0,), "x@0")
