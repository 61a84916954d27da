"""The catalog as it is shipped: every card is whole and says where its data come from."""

import subprocess
import sys
from pathlib import Path

import pytest

from oodkit.data.catalog import Catalog, catalog
from oodkit.data.loading import load_dataset
from oodkit.errors import DataNotFound, UnknownName
from tests.data.cards import HEAD
from tests.data.pictures import write_pictures

ANY = pytest.mark.parametrize("name", catalog)

PROTOCOL = {  # images and classes of what is scored, as the publications of the pairs state them
    "cifar10": (10_000, 10),
    "cifar100": (10_000, 100),
    "svhn": (26_032, 10),
    "tiny_imagenet": (10_000, 200),
    "lsun": (10_000, None),
    "places365": (36_500, 365),
    "dtd": (1_880, 47),
    "imagenet30": (3_000, 30),
    "cub200": (11_788, 200),
    "stanford_dogs": (20_580, 120),
    "oxford_pets": (7_349, 37),
    "flowers102": (8_189, 102),
    "food101": (100_000, 100),
    "imagenet1k": (50_000, 1000),
    "inaturalist": (10_000, None),
    "sun": (10_000, None),
    "places": (10_000, None),
    "imagenet_o": (2_000, 200),
    "ninco": (5_879, 64),
}


def test_all_sets_of_the_pairs_are_there() -> None:
    """And those at hand; in alphabetical order."""
    assert set(catalog) >= {*PROTOCOL, "digits"}
    assert list(catalog) == sorted(catalog)
    assert len(catalog) == len(list(catalog))


@pytest.mark.parametrize("name", PROTOCOL)
def test_what_is_scored_has_the_published_size(name: str) -> None:
    """The default split, or test and what stands in for it, is the one of the protocol."""
    card = catalog[name]
    split = card.default_split or next(s for s in ("test", "val", "all") if s in card.splits)

    assert (card.splits[split], card.classes) == PROTOCOL[name]


@ANY
def test_a_card_is_whole(name: str) -> None:
    """Source, terms, citation and splits are there; class names are as many as classes, each once."""
    card = catalog[name]

    assert card.name == name
    assert card.homepage.startswith("http")
    assert all((card.title, card.license, card.citation, card.pixels, card.splits))
    names = card.class_names
    assert names is None or (len(names) == len(set(names)) == card.classes and all(map(str.strip, names)))
    assert names is not None or card.classes is None or name in {"imagenet1k", "imagenet_o"}
    assert set(card.drop_classes) <= set(card.all_class_names or ())


@ANY
def test_every_file_has_a_checksum_or_the_card_says_that_it_is_unknown(name: str) -> None:
    """No checksum is made up."""
    for file in catalog[name].files:
        unknown = file.sha256 is None and file.md5 is None
        assert unknown == file.checksum_from.startswith("no published checksum")


@ANY
def test_parts_make_up_the_whole(name: str) -> None:
    """The split "all" is the sum of the others."""
    splits = dict(catalog[name].splits)
    whole = splits.pop("all", None)

    assert whole is None or not splits or whole == sum(splits.values())


def test_the_classes_of_imagenet30_are_those_of_imagenet() -> None:
    """Thirty names in alphabetical order; their ids stand at the published places among ImageNet-1K's ids."""
    from timm.data import ImageNetInfo

    wnids = catalog["imagenet30"].wnids
    places = "988 404 407 50 420 425 445 530 319 543 561 572 579 934 604 640 668 677 704 721 763 528 780 802 805 6 949 "
    places += "847 859 980"

    assert list(wnids) == sorted(wnids)
    names = ImageNetInfo().label_names()
    assert [names.index(wnid) for wnid in wnids.values()] == [int(place) for place in places.split()]


def test_food101_is_without_the_class_that_imagenet30_has() -> None:
    """And the whole set has another name."""
    without, whole = catalog["food101"].class_names, catalog["food101_all"].class_names

    assert without is not None
    assert whole is not None
    assert set(whole) - set(without) == {"hot_dog"}
    assert catalog["food101"].files[0].targets == catalog["food101_all"].files[0].targets


def test_a_copy_is_without_the_dropped_class_too(tmp_path: Path) -> None:
    """Whoever has all of Food-101 as folders scores the same images."""
    write_pictures(tmp_path / "food101", [f"{s}/{c}/1.png" for s in ("train", "test") for c in ("hot_dog", "waffles")])

    images = load_dataset("food101", data_root=tmp_path)

    assert (list(images.ids), images.class_names) == (["test/waffles/1.png"], ("waffles",))


def test_an_unknown_name_gets_the_nearest() -> None:
    """As everywhere."""
    assert "cifra10" not in catalog
    with pytest.raises(UnknownName, match="no data set named 'cifra10'; did you mean 'cifar10'"):
        catalog["cifra10"]


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    """One broken card does not spoil the others."""
    (tmp_path / "bad.toml").write_text("?")
    (tmp_path / "good.toml").write_text(HEAD + 'source = "digits"\nput_by_hand = "-"\n[splits]\nall = 1\n')

    cards = Catalog(tmp_path)

    assert list(cards) == ["bad", "good"]
    assert cards["good"].title == "A set"
    assert cards["good"] is cards["good"]


def test_looking_through_the_catalog_imports_nothing_heavy() -> None:
    """A listing starts without torch, NumPy and Pillow."""
    code = (
        "import sys; from oodkit.data.catalog import catalog; [c.class_names for c in catalog.values()];"
        "print([m for m in ('torch', 'torchvision', 'numpy', 'PIL', 'scipy', 'sklearn') if m in sys.modules])"
    )

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@ANY
def test_without_data_and_network_each_says_what_to_do(name: str, tmp_path: Path) -> None:
    """One line with the address and the path, and nothing is written."""
    if name == "digits":
        assert len(catalog[name].open(tmp_path, download=False).load("all")) == 1797
        return
    if name == "lsun":
        pytest.importorskip("lmdb")
    with pytest.raises(DataNotFound) as caught:
        load_dataset(name, data_root=tmp_path, download=False)

    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path) in message
    needed = [file.url for file in catalog[name].files if file.splits != ("train",)]
    assert all(url in message for url in needed)
    assert needed or catalog[name].put_by_hand in message
    assert list(tmp_path.iterdir()) == []
