"""Data sets of the hub, tried on local ones in the hub's layout: `datasets` reads a folder OWNER/NAME the same way."""

import importlib.util
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from oodkit.data import load_dataset, open_dataset
from oodkit.errors import DataNotFound, DownloadFailed, InvalidInput, MissingDependency

HAS_DATASETS = importlib.util.find_spec("datasets") is not None
needs_datasets = pytest.mark.skipif(not HAS_DATASETS, reason="the extra `hub` (datasets) is not installed")


def png(value: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (2, 3), (value, value, value)).save(buffer, "PNG")
    return buffer.getvalue()


def write_table(split: str, columns: dict[str, list[Any]], features: dict[str, Any]) -> None:
    from datasets import Dataset, Features, disable_progress_bars

    disable_progress_bars()
    Path("owner/name/data").mkdir(parents=True, exist_ok=True)
    table = Dataset.from_dict(columns, features=Features(features))
    table.to_parquet(f"owner/name/data/{split}-00000-of-00001.parquet")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without a cache of its own or of the network's."""
    import datasets.config

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@needs_datasets
def test_image_and_label_columns_are_found_by_type(here: Path) -> None:
    """Images come back byte by byte, undecoded; labels with their names; splits as they are called."""
    from datasets import ClassLabel, Image, Value

    features = {"id": Value("int64"), "picture": Image(), "kind": ClassLabel(names=["cat", "dog"])}
    for split, labels in (("train", [0, 1, 1]), ("validation", [1, 0])):
        pictures = [{"bytes": png(10 * i), "path": None} for i in range(len(labels))]
        write_table(split, {"id": [7] * len(labels), "picture": pictures, "kind": labels}, features)

    images = load_dataset("hub:owner/name")

    assert (images.name, images.split, images.class_names) == ("hub:owner/name", "validation", ("cat", "dog"))
    assert images.labels is not None
    np.testing.assert_array_equal(images.labels, [1, 0])
    assert images.read(1) == png(10)
    assert images.open(1).getpixel((0, 0)) == (10, 10, 10)
    assert list(images.ids) == ["0", "1"]
    assert images.stamp(0) is None
    assert len(images.fingerprint) == 64

    dogs = load_dataset("hub:owner/name:train@dog")
    assert (dogs.name, len(dogs), dogs.class_names) == ("hub:owner/name@dog", 2, ("dog",))
    with pytest.raises(DataNotFound, match="has no split 'foo'; it has: train, validation"):
        open_dataset("hub:owner/name:foo")


@needs_datasets
def test_of_several_columns_the_usual_name_is_taken(here: Path) -> None:
    """`img` beside a mask, `fine_label` beside `coarse_label`; withheld labels (-1) are no labels."""
    from datasets import ClassLabel, Image

    features = {
        "mask": Image(),
        "img": Image(),
        "coarse": ClassLabel(num_classes=2),
        "fine_label": ClassLabel(num_classes=3),
    }
    picture, mask = [{"bytes": png(1), "path": None}], [{"bytes": png(2), "path": None}]
    write_table("train", {"mask": mask, "img": picture, "coarse": [0], "fine_label": [2]}, features)
    write_table("test", {"mask": mask, "img": picture, "coarse": [0], "fine_label": [-1]}, features)

    train = load_dataset("hub:owner/name:train")
    assert train.read(0) == png(1)
    assert train.labels is not None
    assert train.labels.tolist() == [2]
    test = load_dataset("hub:owner/name:test")
    assert (test.labels, test.class_names) == (None, None)


@needs_datasets
def test_a_table_without_images_is_an_error(here: Path) -> None:
    """The columns that there are, are named; several that fit are not guessed among."""
    from datasets import Image, Value

    write_table("train", {"text": ["a"]}, {"text": Value("string")})
    with pytest.raises(InvalidInput, match="has no image column; its columns: text"):
        load_dataset("hub:owner/name")
    picture = [{"bytes": png(1), "path": None}]
    write_table("train", {"left": picture, "right": picture}, {"left": Image(), "right": Image()})
    with pytest.raises(InvalidInput, match=r"several image columns \(left, right\)"):
        load_dataset("hub:owner/name")


@needs_datasets
def test_images_in_files_are_read_from_their_paths(here: Path) -> None:
    """A folder of images keeps no bytes in its table."""
    for kind in ("cat", "dog"):
        folder = here / "owner" / "name" / "test" / kind
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(png(5))
    images = load_dataset("hub:owner/name")
    assert (images.read(1), images.class_names) == (png(5), ("cat", "dog"))


@needs_datasets
def test_code_that_comes_with_a_data_set_is_not_run(here: Path) -> None:
    """A loading script is refused in one line."""
    folder = here / "owner" / "name"
    folder.mkdir(parents=True)
    (folder / "name.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(DownloadFailed, match="cannot load hub:owner/name") as caught:
        load_dataset("hub:owner/name")
    assert len(str(caught.value).splitlines()) == 1


@needs_datasets
def test_a_hub_that_cannot_be_reached_is_one_line(here: Path) -> None:
    """No network, no traceback."""
    with pytest.raises(DownloadFailed, match="cannot load hub:nobody/nothing: ") as caught:
        load_dataset("hub:nobody/nothing")
    assert len(str(caught.value).splitlines()) == 1


@needs_datasets
def test_no_download_needs_the_hub_library_offline(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides by itself what it fetches, so it is asked to be offline."""
    import datasets.config

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    with pytest.raises(InvalidInput, match="HF_HUB_OFFLINE=1"):
        load_dataset("hub:owner/name", download=False)


@pytest.mark.parametrize("name", ["hub:name", "hub:a/b/c/d", "hub:owner/name with spaces", "hub:../etc"])
def test_a_hub_name_is_owner_and_name(name: str) -> None:
    """Anything else is refused before the hub is asked."""
    with pytest.raises(InvalidInput, match="hub:OWNER/NAME"):
        load_dataset(name)


@pytest.mark.skipif(HAS_DATASETS, reason="the extra `hub` is installed")
def test_without_the_extra_the_message_says_what_to_install() -> None:
    """One line with the command."""
    with pytest.raises(MissingDependency, match=r"pip install 'oodkit-vision\[hub\]'"):
        load_dataset("hub:owner/name")
