"""From a name to images."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import oodkit.data
from oodkit.data import DatasetName, ImageSet, halves, load_dataset, load_fit_and_test, open_dataset
from oodkit.errors import DataNotFound, InvalidInput, OodkitError, TooFewSamples, UnknownName
from tests.data.pictures import write_pictures


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root with a copy of a known data set and a folder that no catalog knows, and an empty working folder."""
    root = tmp_path / "root"
    write_pictures(root / "cifar10", [f"{s}/{c}/{i}.png" for s in ("train", "test") for c in "xyz" for i in (1, 2)])
    write_pictures(root / "scenes6", ["test/forest/1.png", "test/sea/1.png"])
    monkeypatch.setenv("OODKIT_DATA", str(root))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return root


def ids(images: ImageSet) -> list[str]:
    return list(images.ids)


def test_a_copy_under_the_data_root_comes_before_the_catalog(root: Path) -> None:
    """It keeps its own class folders, and nothing is downloaded."""
    images = load_dataset("cifar10", download=False)
    assert (images.name, images.split, images.class_names) == ("cifar10", "test", ("x", "y", "z"))
    assert ids(images)[0] == "test/x/1.png"
    assert load_dataset("cifar10:train").split == "train"


def test_the_data_root_may_be_given(root: Path, tmp_path: Path) -> None:
    """As a text or a path; it wins over the variable."""
    write_pictures(tmp_path / "other", ["mine/test/1.png"])
    assert ids(load_dataset("mine", data_root=str(tmp_path / "other"))) == ["test/1.png"]
    with pytest.raises(UnknownName):
        load_dataset("mine", data_root=root)


def test_a_folder_under_the_data_root_needs_no_card(root: Path) -> None:
    """Whatever lies there can be named."""
    assert load_dataset("scenes6").class_names == ("forest", "sea")


def test_what_is_no_copy_by_split_does_not_hide_the_catalog(root: Path) -> None:
    """The remains of a download in a folder of the same name are not taken for the data set."""
    write_pictures(root / "dtd", ["dtd/images/banded/1.png"])
    with pytest.raises(OodkitError) as caught:
        ids(load_dataset("dtd", download=False))
    assert "banded" not in str(caught.value)


def test_an_unknown_name_is_answered_with_the_nearest(root: Path) -> None:
    """From the catalog and from the data root, with the command that lists all."""
    with pytest.raises(UnknownName, match=r"no data set named 'scenes5'; did you mean 'scenes6'.*oodkit list datasets"):
        load_dataset("scenes5")
    with pytest.raises(UnknownName, match=r"did you mean .*'cifar100'"):
        load_dataset("cifar1000")
    with pytest.raises(UnknownName, match="did you mean 'digits'"):
        load_dataset("digit")


def test_a_file_is_answered_with_how_a_list_is_named(root: Path) -> None:
    """list.csv alone is no data set, files:list.csv is."""
    Path("list.csv").touch()
    with pytest.raises(InvalidInput, match=r"'list\.csv' is a file; files:list\.csv reads it"):
        load_dataset("list.csv")


def test_paths_are_folders(root: Path) -> None:
    """With a slash, a dot or a tilde, or when the folder exists; as a Path too."""
    write_pictures(Path(), ["photos/1.png", "photos/2.png"])
    for name in ("./photos", "photos", "photos/", Path("photos"), str(Path("photos").absolute())):
        assert ids(load_dataset(name)) == ["1.png", "2.png"]
    with pytest.raises(DataNotFound, match=r"there is no folder 'photo[^s].*did you mean 'photos'"):
        load_dataset("./photo")


def test_the_home_folder_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """~ is expanded; a home that does not exist is a folder that does not exist."""
    write_pictures(root, ["photos/1.png"])
    monkeypatch.setenv("HOME", str(root))
    assert len(load_dataset("~/photos")) == 1
    with pytest.raises(DataNotFound, match="there is no folder"):
        load_dataset("~nobody-of-that-name/photos")


def test_lists_are_loaded_by_prefix(root: Path) -> None:
    """files:LIST.csv with split and classes."""
    write_pictures(Path(), ["a.png", "b.png", "c.png"])
    Path("list.csv").write_text("path,label,split\na.png,x,train\nb.png,y,train\nc.png,x,test\n")
    images = load_dataset("files:list.csv:train@y")
    assert (ids(images), images.name) == (["b.png"], "files:list.csv@y")


def test_classes_are_chosen_on_loading(root: Path) -> None:
    """The name keeps the choice, the split and the labels follow."""
    images = load_dataset("cifar10:train@z,0")
    assert (images.name, images.split, images.class_names) == ("cifar10@z,0", "train", ("x", "z"))
    assert images.labels is not None
    np.testing.assert_array_equal(images.labels, [0, 0, 1, 1])
    with pytest.raises(UnknownName, match="no class 'w' in cifar10"):
        load_dataset("cifar10@w")


def test_a_split_that_does_not_exist_is_answered_with_those_that_do(root: Path) -> None:
    """One line for a copy that lacks a split, before anything is loaded."""
    for function in (load_dataset, load_fit_and_test, open_dataset):
        with pytest.raises(DataNotFound, match=r"scenes6 \(.*\) has no split 'train'; it has: test"):
            function("scenes6:train")  # type: ignore[operator]


def test_a_parsed_name_loads_like_its_text(root: Path) -> None:
    """What has been parsed need not be printed and parsed again."""
    assert ids(load_dataset(DatasetName.parse("scenes6@sea"))) == ["test/sea/1.png"]


def test_train_is_fitted_and_test_is_tested(root: Path) -> None:
    """Where both splits are there, nothing is divided and nothing is noted."""
    both = load_fit_and_test("cifar10@x,y")
    assert (both.fit.split, both.test.split, both.note) == ("train", "test", None)
    assert both.fit.class_names == both.test.class_names == ("x", "y")


def test_the_only_split_is_halved_and_the_note_says_so(root: Path) -> None:
    """Both halves have all classes and share no image."""
    both = load_fit_and_test("digits@0-4", seed=3)
    assert both.note == "digits@0-4 has one split: a seeded half (seed 3) is fitted, the other half tested"
    assert abs(len(both.fit) - len(both.test)) <= 1
    assert not set(both.fit.ids) & set(both.test.ids)
    assert ids(both.fit) == ids(halves(load_dataset("digits@0-4"), 3)[0])
    assert both.fit.labels is not None
    assert set(both.fit.labels) == set(range(5))
    assert (both.fit.name, both.fit.split, both.test.split) == ("digits@0-4", "all (first half)", "all (second half)")


def test_a_named_split_is_halved_too(root: Path) -> None:
    """Who names one split gets no images from another."""
    both = load_fit_and_test("cifar10:train")
    assert both.note is not None
    assert both.note.startswith("cifar10:train is one split: a seeded half")
    assert sorted([*both.fit.ids, *both.test.ids]) == sorted(load_dataset("cifar10:train").ids)


def test_without_a_train_split_the_test_split_is_halved(root: Path) -> None:
    """A validation split beside it is left alone."""
    write_pictures(root / "two", ["test/1.png", "test/2.png", "val/3.png"])
    both = load_fit_and_test("two")
    assert both.note is not None
    assert both.note.startswith("two has no train split: a seeded half (seed 0)")
    assert sorted([*both.fit.ids, *both.test.ids]) == ["test/1.png", "test/2.png"]


def test_one_image_cannot_be_fitted_and_tested(root: Path) -> None:
    """It is said here, not by a scorer."""
    with pytest.raises(TooFewSamples):
        load_fit_and_test("scenes6@sea")


def test_no_data_root_is_no_error(root: Path) -> None:
    """A fresh machine has none; digits are there all the same."""
    assert len(load_dataset("digits", data_root="/no/such/folder")) == 1797
    with pytest.raises(UnknownName):
        load_dataset("x" * 5000, data_root="/no/such/folder")


def test_importing_the_package_is_cheap() -> None:
    """Neither torch nor scikit-learn is loaded before a data set needs it; the package alone loads not even NumPy."""
    code = """
import sys
import oodkit.data
heavy = {"torch", "torchvision", "sklearn", "datasets", "numpy", "PIL"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from oodkit.data import load_dataset, take, decode_image
assert not (heavy - {"numpy", "PIL"}) & set(sys.modules), sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_every_public_name_is_there() -> None:
    """`__all__` and what can be imported are the same."""
    assert dir(oodkit.data) == sorted(oodkit.data.__all__)
    for name in oodkit.data.__all__:
        assert getattr(oodkit.data, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        oodkit.data.nothing  # noqa: B018


def test_a_data_root_that_does_not_exist_is_no_reason_to_download(root: Path, tmp_path: Path) -> None:
    """A mistyped folder is named at once; a folder that is there may be filled."""
    with pytest.raises(DataNotFound, match=r"the data root .*mistyped does not exist; correct it, or create"):
        load_dataset("cifar100", data_root=tmp_path / "mistyped")
