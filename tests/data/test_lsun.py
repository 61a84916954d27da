"""LSUN's test images, from a database of our own making."""

import io
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from oodkit.data.catalog import catalog
from oodkit.data.lsun import LmdbImageSet
from oodkit.errors import DataNotFound, UnreadableImage

lmdb = pytest.importorskip("lmdb", reason="needs the package lmdb")


def encoded(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((2, 3, 3), value, dtype=np.uint8)).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Three images, put in another order than that of their keys."""
    folder = tmp_path / "torchvision" / "test_lmdb"
    folder.mkdir(parents=True)
    with lmdb.open(str(folder), map_size=1 << 20) as env, env.begin(write=True) as transaction:
        for key, value in (("c", 3), ("a", 1), ("b", 2)):
            transaction.put(key.encode(), encoded(value))
    return folder


def test_images_are_given_as_they_are_stored(database: Path) -> None:
    """In the order of their keys, which are the ids; without labels."""
    images = LmdbImageSet("lsun", "test", database)

    assert (list(images.ids), images.labels, images.class_names) == (["a", "b", "c"], None, None)
    assert [images.read(i) for i in range(3)] == [encoded(1), encoded(2), encoded(3)]
    assert np.asarray(images.open(1)).tolist() == np.full((2, 3, 3), 2).tolist()


def test_it_is_found_through_the_catalog(database: Path, tmp_path: Path) -> None:
    """And nothing is written, neither beside the database nor into the working directory."""
    before = sorted(database.iterdir())
    here = sorted(Path.cwd().iterdir())

    with pytest.warns(UserWarning, match="lsun:test has 10,000 images as published, but 3 in"):
        images = catalog["lsun"].open(tmp_path, download=False).load("test")

    assert len(images) == 3
    assert sorted(database.iterdir()) == before
    assert sorted(Path.cwd().iterdir()) == here


def test_workers_of_other_processes_can_read_it(database: Path) -> None:
    """Forked ones and fresh ones, while it is open here, where it can be read twice, too."""
    images = LmdbImageSet("lsun", "test", database)
    again = pickle.loads(pickle.dumps(images))

    assert images.read(0) == again.read(0) == encoded(1)
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert pool.map(images.read, [2]) == [encoded(3)]


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    """A missing folder, a file of something else."""
    with pytest.raises(DataNotFound, match="is not an LMDB database"):
        LmdbImageSet("lsun", "test", tmp_path / "missing")
    (tmp_path / "data.mdb").write_bytes(b"something else" * 1000)
    with pytest.raises(DataNotFound, match="is not an LMDB database"):
        LmdbImageSet("lsun", "test", tmp_path)


def test_an_image_that_is_gone_is_told_by_name(database: Path) -> None:
    """Somebody changed the database meanwhile."""
    images = LmdbImageSet("lsun", "test", database)
    code = "import lmdb, sys\nwith lmdb.open(sys.argv[1]) as e, e.begin(write=True) as t: t.delete(b'b')"
    subprocess.run([sys.executable, "-c", code, str(database)], check=True)

    with pytest.raises(UnreadableImage, match="image 'b' is no longer in"):
        images.read(1)
