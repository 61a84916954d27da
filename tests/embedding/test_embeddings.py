"""The Embeddings value."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from oodkit.embedding import Embeddings
from oodkit.errors import DataNotFound, InvalidInput


@pytest.fixture
def embeddings() -> Embeddings:
    return Embeddings(
        features=np.arange(12, dtype=np.float32).reshape(4, 3),
        ids=("a", "b", "c", "d"),
        labels=np.array([0, 1, 1, 0]),
        digests=np.arange(4 * 32, dtype=np.uint8).reshape(4, 32),
        class_names=("cat", "dog"),
        dataset="pets",
        split="test",
        backbone="net",
        fingerprint="f",
        skipped=("e",),
    )


def test_it_is_an_array_and_has_a_length(embeddings):
    """NumPy reads the features straight from it."""
    assert len(embeddings) == 4
    np.testing.assert_array_equal(np.asarray(embeddings), embeddings.features)
    assert np.asarray(embeddings, dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([False, True, True, False]), np.array([1, 2])])
def test_rows_are_taken_from_every_part(embeddings, rows):
    """Slices, masks and indices cut features, ids, labels and digests alike."""
    part = embeddings[rows]
    assert part.ids == ("b", "c")
    np.testing.assert_array_equal(part.features, embeddings.features[1:3])
    np.testing.assert_array_equal(part.labels, [1, 1])
    np.testing.assert_array_equal(part.digests, embeddings.digests[1:3])
    assert part.class_names == ("cat", "dog")


def test_saving_and_loading_gives_the_same(embeddings, tmp_path):
    """Every field survives a round trip through one safetensors file."""
    path = tmp_path / "pets.safetensors"
    embeddings.save(path)
    loaded = Embeddings.load(path)
    for name in ("features", "labels", "digests"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(embeddings, name))
    for name in ("ids", "class_names", "dataset", "split", "backbone", "fingerprint", "numerics", "view", "skipped"):
        assert getattr(loaded, name) == getattr(embeddings, name)


def test_parquet_has_a_row_per_image(embeddings, tmp_path):
    """Other tools read ids, class names and features."""
    embeddings.to_parquet(tmp_path / "pets.parquet")
    table = pq.read_table(tmp_path / "pets.parquet").to_pydict()
    assert table["id"] == ["a", "b", "c", "d"]
    assert table["class"] == ["cat", "dog", "dog", "cat"]
    assert table["features"][1] == [3.0, 4.0, 5.0]


@pytest.mark.parametrize("content", [b"", b"not a file of tensors", b"\x08\0\0\0\0\0\0\0{}      "])
def test_loading_something_else_is_refused(tmp_path, content):
    """A file that `save` did not write is one clear line."""
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="does not hold embeddings"):
        Embeddings.load(path)


def test_loading_nothing_names_the_path(tmp_path):
    """No file: the path is in the message."""
    with pytest.raises(DataNotFound, match="nothing"):
        Embeddings.load(tmp_path / "nothing")


def test_parts_must_fit_together():
    """As many ids and labels as features."""
    with pytest.raises(InvalidInput, match="2 features need as many ids, got 1"):
        Embeddings(np.zeros((2, 3), np.float32), ids=("a",))
    with pytest.raises(InvalidInput, match="shape"):
        Embeddings(np.zeros(2, np.float32), ids=("a", "b"))
