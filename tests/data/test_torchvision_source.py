"""Data sets through torchvision's classes, on tiny copies in the layout that each class expects."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

from oodkit.data.card import Card
from oodkit.data.catalog import catalog
from oodkit.data.image_set import ImageSet
from oodkit.errors import DataNotFound

pytestmark = pytest.mark.filterwarnings("ignore:.*as published")

Patch = pytest.MonkeyPatch


def md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes()).hexdigest()


def noise(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def jpegs(folder: Path, files: list[str]) -> None:
    for seed, file in enumerate(files):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(seed, 6, 5, 3)).save(path, "JPEG")


def make_cifar10(root: Path, patch: Patch) -> None:
    make_cifar(root, patch, datasets.CIFAR10, "labels", "label_names")


def make_cifar100(root: Path, patch: Patch) -> None:
    make_cifar(root, patch, datasets.CIFAR100, "fine_labels", "fine_label_names")


def make_cifar(root: Path, patch: Patch, which: Any, labels: str, names: str) -> None:
    folder = root / which.base_folder
    folder.mkdir(parents=True)
    for attribute in ("train_list", "test_list"):
        made = []
        for seed, (name, _) in enumerate(getattr(which, attribute)):
            batch = {"data": noise(seed, 2, 3072), labels: [seed, 9 - seed]}
            (folder / name).write_bytes(pickle.dumps(batch))
            made.append([name, md5(folder / name)])
        patch.setattr(which, attribute, made)
    meta = folder / which.meta["filename"]
    meta.write_bytes(pickle.dumps({names: list("abcdefghij")}))
    patch.setattr(which, "meta", {**which.meta, "md5": md5(meta)})


def make_svhn(root: Path, patch: Patch) -> None:
    made = {}
    for seed, split in enumerate(("train", "test")):
        url, name, _ = datasets.SVHN.split_list[split]
        savemat(root / name, {"X": noise(seed, 32, 32, 3, 3), "y": np.array([[1], [10], [9]], dtype=np.uint8)})
        made[split] = [url, name, md5(root / name)]
    patch.setattr(datasets.SVHN, "split_list", made)


def make_stl10(root: Path, patch: Patch) -> None:
    folder = root / "stl10_binary"
    folder.mkdir()
    for attribute in ("train_list", "test_list"):
        made = []
        for seed, (name, _) in enumerate(getattr(datasets.STL10, attribute)):
            pixels = noise(seed, 2, 3, 96, 96)
            content = pixels if name.endswith("X.bin") else np.array([1, 10], dtype=np.uint8)
            (folder / name).write_bytes(content.tobytes())
            made.append([name, md5(folder / name)])
        patch.setattr(datasets.STL10, attribute, made)


def make_mnist(root: Path, patch: Patch) -> None:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for seed, split in enumerate(("train", "t10k")):
        header = np.array([0x0803, 3, 28, 28], dtype=">u4").tobytes()
        (folder / f"{split}-images-idx3-ubyte").write_bytes(header + noise(seed, 3, 28, 28).tobytes())
        header = np.array([0x0801, 3], dtype=">u4").tobytes()
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(header + bytes([7, 0, 9]))


def make_dtd(root: Path, patch: Patch) -> None:
    folder = root / "dtd" / "dtd"
    classes = catalog["dtd"].class_names or ()
    (folder / "labels").mkdir(parents=True)
    for split in ("train", "val", "test"):
        files = [f"{name}/{name}_{split}.jpg" for name in reversed(classes)]
        jpegs(folder / "images", files)
        (folder / "labels" / f"{split}1.txt").write_text("\n".join(files) + "\n")


def make_places365(root: Path, patch: Patch) -> None:
    names = catalog["places365"].class_names or ()
    places = datasets.Places365
    categories, files = root / places._CATEGORIES_META[0], root / places._FILE_LIST_META["val"][0]
    categories.write_text("".join(f"/{name[0]}/{name} {i}\n" for i, name in enumerate(names)))
    files.write_text("Places365_val_00000001.jpg 165\nPlaces365_val_00000002.jpg 0\n")
    jpegs(root / "val_256", ["Places365_val_00000001.jpg", "Places365_val_00000002.jpg"])
    patch.setattr(places, "_CATEGORIES_META", (categories.name, md5(categories)))
    patch.setattr(places, "_FILE_LIST_META", {"val": (files.name, md5(files))})


def make_oxford_pets(root: Path, patch: Patch) -> None:
    folder = root / "oxford-iiit-pet"
    (folder / "annotations").mkdir(parents=True)
    names = catalog["oxford_pets"].class_names or ()
    for number, split in enumerate(("trainval", "test")):
        lines = [f"{name}_{number} {label} 1 1" for label, name in enumerate(names, 1)]
        jpegs(folder / "images", [f"{line.split()[0]}.jpg" for line in lines])
        (folder / "annotations" / f"{split}.txt").write_text("\n".join(lines) + "\n")


def make_flowers102(root: Path, patch: Patch) -> None:
    folder = root / "flowers-102"
    jpegs(folder / "jpg", [f"image_{i:05d}.jpg" for i in range(1, 7)])
    savemat(folder / "imagelabels.mat", {"labels": np.array([[77, 1, 102, 5, 1, 2]])})
    savemat(folder / "setid.mat", {"trnid": [[6, 1]], "valid": [[2, 3]], "tstid": [[5, 4]]})
    known = dict(datasets.Flowers102._file_dict)
    for key in ("label", "setid"):
        known[key] = (known[key][0], md5(folder / known[key][0]))
    patch.setattr(datasets.Flowers102, "_file_dict", known)


def make_food101(root: Path, patch: Patch) -> None:
    folder = root / "food-101"
    (folder / "meta").mkdir(parents=True)
    for split in ("train", "test"):
        names = {name: [f"{name}/{split}"] for name in reversed(catalog["food101_all"].class_names or ())}
        jpegs(folder / "images", [f"{file}.jpg" for files in names.values() for file in files])
        (folder / "meta" / f"{split}.json").write_text(json.dumps(names))


MAKERS: dict[str, Callable[[Path, Patch], None]] = {
    "cifar10": make_cifar10,
    "cifar100": make_cifar100,
    "svhn": make_svhn,
    "stl10": make_stl10,
    "mnist": make_mnist,
    "dtd": make_dtd,
    "places365": make_places365,
    "oxford_pets": make_oxford_pets,
    "flowers102": make_flowers102,
    "food101": make_food101,
    "food101_all": make_food101,
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: Patch) -> Callable[[str], Card]:
    """`made(NAME)`: the card of a data set, of which a tiny copy lies below `tmp_path`."""

    def make(name: str) -> Card:
        (tmp_path / "torchvision").mkdir()
        MAKERS[name](tmp_path / "torchvision", monkeypatch)
        return catalog[name]

    return make


def test_every_data_set_that_torchvision_reads_is_tried_here() -> None:
    """A new card of this kind needs a tiny copy."""
    assert set(MAKERS) == {name for name, card in catalog.items() if card.source == "torchvision"}


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "food101"])
def test_images_and_labels_are_torchvisions(made: Callable[[str], Card], tmp_path: Path, name: str) -> None:
    """Each image of each split has the pixels and the label that torchvision itself gives, part after part."""
    card = made(name)
    assert card.torchvision is not None
    dataset = card.open(tmp_path, download=False)

    for split, parts in card.torchvision.splits.items():
        images = dataset.load(split)
        read = getattr(datasets, card.torchvision.class_name)
        expected = [pair for arguments in parts for pair in read(tmp_path / "torchvision", **arguments)]

        assert (images.name, images.split, images.class_names) == (name, split, card.class_names)
        assert len(set(images.ids)) == len(images) == len(expected) > 0
        assert images.labels is not None
        assert images.labels.tolist() == [label for _, label in expected]
        for index, (image, _) in enumerate(expected):
            np.testing.assert_array_equal(np.asarray(images.open(index)), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("name", ["dtd", "oxford_pets", "food101_all", "places365"])
def test_class_names_are_those_of_torchvision(made: Callable[[str], Card], tmp_path: Path, name: str) -> None:
    """In the same order, but for how they are written."""
    card = made(name)
    assert card.torchvision is not None
    arguments = card.torchvision.splits[next(iter(card.splits))][0]
    theirs = getattr(datasets, card.torchvision.class_name)(tmp_path / "torchvision", **arguments).classes

    def plain(text: str) -> str:
        return "".join(text.removeprefix(f"/{text[1]}/").lower().replace("_", " ").split())

    assert [plain(text) for text in theirs] == [plain(text) for text in card.class_names or ()]


@pytest.mark.parametrize("name", ["dtd", "oxford_pets", "flowers102", "food101", "places365"])
def test_files_are_given_as_they_are(made: Callable[[str], Card], tmp_path: Path, name: str) -> None:
    """Never decoded and encoded again; ids are paths below the folder of the images, and files have stamps."""
    card = made(name)
    assert card.torchvision is not None
    images = card.open(tmp_path, download=False).load(card.default_split or "test")

    folder = tmp_path / "torchvision" / card.torchvision.images
    for index, identifier in enumerate(images.ids):
        assert images.read(index) == (folder / identifier).read_bytes()
        assert images.stamp(index) is not None


@pytest.mark.parametrize(("name", "header"), [("cifar10", b"P6\n32 32\n255\n"), ("mnist", b"P5\n28 28\n255\n")])
def test_pixels_are_given_without_loss(made: Callable[[str], Card], tmp_path: Path, name: str, header: bytes) -> None:
    """As binary PNM, colour or grey."""
    images: ImageSet = made(name).open(tmp_path, download=False).load("train")

    assert images.read(0).startswith(header)


def test_food101_leaves_hot_dogs_out(made: Callable[[str], Card], tmp_path: Path) -> None:
    """Labels are numbered anew; the split that is scored is the whole set."""
    dataset = made("food101").open(tmp_path, download=False)
    images = dataset.load(dataset.default_split)

    assert dataset.default_split == "all"
    assert len(images) == 200
    assert images.class_names == dataset.class_names
    assert images.labels is not None
    assert not any("hot_dog" in identifier for identifier in images.ids)
    assert [images.class_names[label] for label in images.labels] == [i.split("/")[0] for i in images.ids]  # type: ignore[index]


def test_the_split_that_stands_in_for_test(made: Callable[[str], Card], tmp_path: Path) -> None:
    """Of Places365 the validation images are scored."""
    dataset = made("places365").open(tmp_path, download=False)

    assert dataset.default_split == "val"
    assert dataset.load("test").ids == ["Places365_val_00000001.jpg", "Places365_val_00000002.jpg"]


def test_a_damaged_copy_is_told(made: Callable[[str], Card], tmp_path: Path) -> None:
    """A batch whose checksum is wrong is never unpickled; one line says what to remove."""
    card = made("cifar10")
    batch = tmp_path / "torchvision/cifar-10-batches-py/test_batch"
    batch.write_bytes(batch.read_bytes() + b"!")

    with pytest.raises(DataNotFound, match=r"torchvision cannot read cifar10: .* not found or corrupted") as caught:
        card.open(tmp_path, download=False).load("test")

    message = str(caught.value)
    assert "\n" not in message
    assert f"remove {batch.parent} and run again" in message
