"""Image sets whose images are files, and subsets of them."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from oodkit.data.files import FileImageSet
from oodkit.errors import UnreadableImage
from tests.data.pictures import write_pictures

FILES = ["a/1.png", "b/2.png", "c.png"]


@pytest.fixture
def images(tmp_path: Path) -> FileImageSet:
    write_pictures(tmp_path, FILES)
    return FileImageSet("three", "all", tmp_path, FILES, [0, 1, 1], ("x", "y"))


def test_reading_gives_the_files_bytes(images: FileImageSet, tmp_path: Path) -> None:
    """Bytes, digest and pixels are the file's."""
    data = (tmp_path / "b/2.png").read_bytes()
    assert images.read(1) == data
    assert images.digest(1) == hashlib.sha256(data).hexdigest()
    assert np.asarray(images.open(1)).tolist() == [[[1, 1, 1]] * 3] * 2


def test_the_stamp_is_absolute_path_size_and_time(
    images: FileImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not depend on the folder that one is in, and changes with the file."""
    file = tmp_path / "a/1.png"
    monkeypatch.chdir(tmp_path)
    before = FileImageSet("three", "all", Path(), FILES).stamp(0)
    assert before == images.stamp(0)
    assert before is not None
    assert (before.path, before.size, before.mtime_ns) == (str(file), file.stat().st_size, file.stat().st_mtime_ns)
    file.write_bytes(b"longer" * 100)
    assert images.stamp(0) != before


def test_a_file_that_is_gone_is_named_when_it_is_read(images: FileImageSet, tmp_path: Path) -> None:
    """Listing does not open files, so what vanishes is found when it is read: one line, no stamp."""
    (tmp_path / "c.png").unlink()
    assert images.stamp(2) is None
    with pytest.raises(UnreadableImage, match=r"c\.png': No such file") as caught:
        images.open(2)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unreadable_image_is_named_by_its_path(images: FileImageSet, tmp_path: Path) -> None:
    """The path says which file to look at."""
    (tmp_path / "b/2.png").write_bytes(b"")
    with pytest.raises(UnreadableImage, match=re.escape(f"'{tmp_path / 'b/2.png'}'")):
        images.open(1)


def test_a_subset_shares_images_labels_and_names(images: FileImageSet) -> None:
    """Order is that of the indices; reading, digests and stamps reach the same files."""
    part = images.subset([2, 0], split="some").subset(np.array([1, 0]))
    assert (part.name, part.split, part.class_names, len(part)) == ("three", "some", ("x", "y"), 2)
    assert list(part.ids) == ["a/1.png", "c.png"]
    assert part.labels is not None
    np.testing.assert_array_equal(part.labels, [0, 1])
    assert (part.read(1), part.digest(1), part.stamp(1)) == (images.read(2), images.digest(2), images.stamp(2))
    assert part.open(1).tobytes() == images.open(2).tobytes()


def test_the_fingerprint_changes_with_content_order_and_labels(images: FileImageSet, tmp_path: Path) -> None:
    """It is the same for the same images, and for nothing else."""
    same = FileImageSet("other name", "other split", tmp_path, FILES, [0, 1, 1], ("x", "y"))
    relabelled = FileImageSet("three", "all", tmp_path, FILES, [0, 1, 0], ("x", "y"))
    assert same.fingerprint == images.fingerprint
    found = {images.fingerprint, relabelled.fingerprint, images.subset([1, 0, 2]).fingerprint}
    (tmp_path / "c.png").write_bytes(b"changed")
    assert len(found | {FileImageSet("three", "all", tmp_path, FILES, [0, 1, 1], ("x", "y")).fingerprint}) == 4
