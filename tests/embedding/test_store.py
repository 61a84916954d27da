"""The embedding store."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from oodkit.data.image_set import FileStamp
from oodkit.embedding import store as store_module
from oodkit.embedding.shard import Space
from oodkit.embedding.store import MissingFeatures, Store, default_cache
from oodkit.errors import DataNotFound, StoreError, UnknownName

SPACE = Space("fingerprint", "fp32", "identity")
OTHER = Space("fingerprint", "bf16", "identity")


def digests(*numbers: int) -> list[bytes]:
    return [hashlib.sha256(str(n).encode()).digest() for n in numbers]


def rows(*numbers: int) -> np.ndarray:
    return np.array([[n, n + 0.5] for n in numbers], dtype=np.float32)


def add(store: Store, *numbers: int, space: Space = SPACE) -> None:
    store.add(space, "net", digests(*numbers), rows(*numbers))


def shard_files(store: Store) -> list[Path]:
    return sorted((store.folder / "shards").rglob("*.safetensors"))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache") as opened:
        yield opened


def test_features_come_back_in_the_order_asked_for(store):
    """Rows are gathered over shards, in any order, more than once."""
    add(store, 1, 2, 3)
    add(store, 4, 5)
    np.testing.assert_array_equal(store.gather(SPACE, digests(5, 1, 4, 1)), rows(5, 1, 4, 1))


def test_spaces_never_share(store):
    """Another precision has none of these features."""
    add(store, 1)
    assert store.has(SPACE, [*digests(1, 2), None]).tolist() == [True, False, False]
    assert store.has(OTHER, digests(1)).tolist() == [False]
    with pytest.raises(MissingFeatures):
        store.gather(OTHER, digests(1))


def test_what_is_stored_first_stays(store):
    """A second writer of an image changes no byte that was given out."""
    add(store, 1, 2)
    store.add(SPACE, "net", digests(2, 3), rows(20, 3))
    np.testing.assert_array_equal(store.gather(SPACE, digests(1, 2, 3)), rows(1, 2, 3))


def test_a_second_process_sees_what_the_first_wrote(store):
    """Two stores over one folder are one."""
    with Store(store.folder) as second:
        add(store, 1)
        add(second, 2)
        np.testing.assert_array_equal(second.gather(SPACE, digests(1, 2)), rows(1, 2))
        np.testing.assert_array_equal(store.gather(SPACE, digests(1, 2)), rows(1, 2))


def test_many_threads_and_stores_write_at_once(tmp_path):
    """Concurrent writers lose nothing and mix nothing up."""
    faults: list[BaseException] = []

    def work(worker: int) -> None:
        try:
            with Store(tmp_path / "cache") as own:
                for i in range(20):
                    add(own, 100 * (worker // 2) + i, 100 * (worker // 2) + i + 1)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wanted = [100 * group + i for group in range(3) for i in range(21)]
    with Store(tmp_path / "cache") as own:
        assert not faults
        np.testing.assert_array_equal(own.gather(SPACE, digests(*wanted)), rows(*wanted))
        assert own.verify().bad == ()


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_damaged_shard_is_set_aside_and_reported(store, spoil, caplog):
    """Its rows are missing afterwards, those of other shards are not, and the file is kept for inspection."""
    add(store, 1, 2)
    add(store, 3)
    damaged = next(p for p in shard_files(store) if np.array_equal(_features(p), rows(1, 2)))
    damaged.write_bytes(spoil(damaged.read_bytes()))
    with pytest.raises(MissingFeatures):
        store.gather(SPACE, digests(1, 2, 3))
    assert "is damaged" in caplog.text
    assert store.has(SPACE, digests(1, 2, 3)).tolist() == [False, False, True]
    assert damaged.with_suffix(".bad").is_file()
    add(store, 1, 2)
    np.testing.assert_array_equal(store.gather(SPACE, digests(1, 2, 3)), rows(1, 2, 3))


def _features(path: Path) -> np.ndarray:
    from safetensors.numpy import load_file

    return load_file(path)["features"]


def test_verify_finds_damage_and_prune_frees_it(store):
    """`verify` checks every byte; `prune` deletes what was set aside and what killed runs left."""
    add(store, 1)
    add(store, 2)
    shard_files(store)[0].write_bytes(b"rubbish")
    report = store.verify()
    assert (report.shards, len(report.bad)) == (2, 1)
    old = store.folder / "shards" / ".x.partial"
    old.write_bytes(b"half")
    os.utime(old, (time.time() - 9999, time.time() - 9999))
    young = store.folder / "shards" / ".y.partial"
    young.write_bytes(b"being written")
    assert store.prune().freed_bytes >= len(b"rubbish") + len(b"half")
    assert not old.exists()
    assert young.exists()
    assert store.verify().bad == ()
    assert store.has(SPACE, digests(1, 2)).sum() == 1


def test_prune_deletes_one_backbone_only(store):
    """--backbone names whose embeddings go."""
    add(store, 1)
    store.add(OTHER, "other", digests(1), rows(1))
    with pytest.raises(UnknownName, match="net"):
        store.prune("nett")
    assert store.prune("net").shards == 1
    assert not store.has(SPACE, digests(1))[0]
    assert store.has(OTHER, digests(1))[0]


def test_a_damaged_index_is_made_again_from_the_shards(store, caplog):
    """Shards say what they hold, so no embedding is lost with the index."""
    add(store, 1, 2)
    add(store, 3)
    store._index.close()
    (store.folder / "index.sqlite").write_bytes(b"this is no database" * 100)
    with Store(store.folder) as again:
        np.testing.assert_array_equal(again.gather(SPACE, digests(1, 2, 3)), rows(1, 2, 3))
    assert "index is damaged" in caplog.text


@pytest.mark.parametrize("lost", [b"", None])
def test_a_lost_index_costs_no_embedding(store, lost):
    """Emptied or deleted, it is made again from the shards, with the backbones' names."""
    add(store, 1, 2)
    store._index.close()
    path = store.folder / "index.sqlite"
    path.unlink() if lost is None else path.write_bytes(lost)
    with Store(store.folder) as again:
        assert again.has(SPACE, digests(1, 2)).all()
        assert again.spaces()[0][0] == "net"


def test_damage_behind_an_intact_header_is_found_and_healed(store):
    """`verify` checks the index too; the next use makes it again."""
    for number in range(300):
        add(store, number)
    store._index.close()
    path = store.folder / "index.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StoreError, match="run the same command again"), Store(store.folder) as damaged:
        damaged.verify()
    with Store(store.folder) as again:
        assert again.verify().bad == ()
        assert again.has(SPACE, digests(*range(300))).all()


def test_a_newer_schema_is_refused(store):
    """A cache of a newer version is left alone."""
    store._index.close()
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as db, db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer oodkit"):
        Store(store.folder)


def test_large_sets_are_memory_mapped(store, monkeypatch):
    """Above the limit features lie in a mapped file that leaves nothing behind."""
    monkeypatch.setattr(store_module, "MAP_FROM_BYTES", 16)
    add(store, 1, 2, 3)
    add(store, 4)
    before = sorted(store.folder.rglob("*"))
    mapped = store.gather(SPACE, digests(4, 2, 1))
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, rows(4, 2, 1))
    assert sorted(store.folder.rglob("*")) == before


def test_an_unusable_folder_is_one_line(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="give --cache another folder") as caught:
        Store(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_looking_makes_no_store(tmp_path):
    """A mistyped --cache of `info`, `verify` or `prune` is an error, and an empty one always."""
    with pytest.raises(DataNotFound, match="no cache at"):
        Store(tmp_path / "typo", make=False)
    assert not (tmp_path / "typo").exists()
    with pytest.raises(StoreError, match="no name"):
        Store("")


def test_digests_of_unchanged_files_are_remembered(store):
    """Path, size and time decide; a file changed just before it was read is not trusted."""
    old = FileStamp("/a", 10, 1_000, 1_000)
    fresh = FileStamp("/b", 10, 1_000, 50_000_000_000)
    store.remember([(old, digests(1)[0]), (fresh, digests(2)[0])], read_ns=50_000_000_001)
    assert store.remembered([old, fresh, None]) == [digests(1)[0], None, None]
    changed = [FileStamp("/a", 11, 1_000, 1_000), FileStamp("/a", 10, 1_001, 1_000), FileStamp("/a", 10, 1_000, 1_001)]
    assert [store.remembered([stamp]) for stamp in changed] == [[None]] * 3


def test_the_default_folder_follows_the_environment(monkeypatch, tmp_path):
    """OODKIT_CACHE names it."""
    monkeypatch.setenv("OODKIT_CACHE", str(tmp_path / "here"))
    assert default_cache() == tmp_path / "here"


FULL_DISK = """
import resource, signal, sys, numpy as np
from oodkit.embedding.shard import Space
from oodkit.embedding.store import Store
from oodkit.errors import DataNotFound, StoreError, UnknownName

space = Space("f", "fp32", "identity")
store = Store(sys.argv[1])
store.add(space, "net", [b"1" * 32], np.ones((1, 4), np.float32))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    store.add(space, "net", [b"2" * 32], np.ones((1, 100_000), np.float32))
except StoreError as error:
    assert "what it holds is kept" in str(error) and "\\n" not in str(error), error
    print("refused")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_when_nothing_more_can_be_written_the_store_stays_valid(tmp_path):
    """At a limit of file size, as on a full disk: one line, no partial shard, and what was there is there."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "cache")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "refused"
    with Store(tmp_path / "cache") as store:
        assert store.verify() == store_module.Report(shards=1)
        np.testing.assert_array_equal(store.gather(Space("f", "fp32", "identity"), [b"1" * 32]), np.ones((1, 4)))
        assert not list(store.folder.rglob("*.partial"))


OPENED_ON_A_FULL_DISK = """
import resource, signal, sys
from oodkit.embedding.store import Store
from oodkit.errors import StoreError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource limits")
def test_a_full_disk_is_not_taken_for_a_read_only_store(tmp_path):
    """A store that cannot be opened because nothing can be written says so, in one line."""
    with Store(tmp_path) as store:
        add(store, 1)
    done = subprocess.run(
        [sys.executable, "-c", OPENED_ON_A_FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "read-only" not in done.stdout
    assert "cannot be" in done.stdout
    assert done.stdout.count("\n") == 1
