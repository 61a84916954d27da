"""The embedding store: a folder in which every image's features are kept once, found by what made them."""

import contextlib
import hashlib
import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from oodkit.atomic import PARTIAL_SUFFIX, write_atomically
from oodkit.checkpoints import checkpoints_in
from oodkit.data.image_set import FileStamp
from oodkit.embedding.index import Index, ShardRecord
from oodkit.embedding.shard import CorruptShard, Space, encode_shard, read_contents, read_features
from oodkit.errors import DataNotFound, OodkitError, StoreError, unknown_name

_log = logging.getLogger(__name__)

# Larger sets are put together in a file that is memory-mapped instead of in memory.
MAP_FROM_BYTES = 512 * 2**20
TRAINING = "training"  # checkpoints of trainings that are not done, in the folder of the store
_STALE_SECONDS = 3600  # nothing that a running process still needs is that old


def default_cache() -> Path:
    """OODKIT_CACHE, or the platform's cache folder."""
    named = os.environ.get("OODKIT_CACHE")
    return Path(named).expanduser() if named else user_cache_path("oodkit") / "embeddings"


def training_checkpoints(folder: str | os.PathLike[str] | None = None) -> AbstractContextManager[None]:
    """A block whose trainings keep checkpoints in the cache folder, as `checkpoints_in` does.

    Args:
        folder: None for `default_cache()`.
    """
    return checkpoints_in(_cache_folder(folder) / TRAINING)


@dataclass(frozen=True)
class Report:
    """What `verify` and `prune` found or did.

    Attributes:
        shards: how many shards were looked at.
        bad: file names of shards that were set aside; their images are embedded again when they are needed.
        adopted: how many whole shards were found that the index did not know.
        freed_bytes: disk space given back.
    """

    shards: int = 0
    bad: tuple[str, ...] = ()
    adopted: int = 0
    freed_bytes: int = 0


class Store:
    """A folder of shards and the index that names what is whole in it.

    Several processes may use one store at once. A process that is killed loses at most the shard it was writing.

    Args:
        folder: None for `default_cache()`.
        make: whether to make the folder when it is not there.

    Raises:
        StoreError: the folder cannot be used.
        DataNotFound: it is not there, and `make` is off.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, *, make: bool = True) -> None:
        if folder is not None and not os.fspath(folder):
            raise StoreError("the cache folder has no name; give --cache a folder")
        self.folder = _cache_folder(folder)
        if not make and not (self.folder / "index.sqlite").is_file():
            raise DataNotFound(
                f"there is no cache at {self.folder}; give --cache the folder that embeddings were kept in"
            )
        with self._explained("opened"):
            if not self.folder.is_dir():
                self.folder.mkdir(parents=True, exist_ok=True)
            self._index = self._open_index()

    def __enter__(self) -> "Store":
        """The store itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the index."""
        self._index.close()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here."""
        return self._index.read_only

    def remembered(self, stamps: Sequence[FileStamp | None]) -> list[bytes | None]:
        """Digests of files that have not changed since they were last read; None for the others."""
        with self._explained("read"):
            return self._index.remembered(stamps)

    def has(self, space: Space, digests: Sequence[bytes | None]) -> NDArray[np.bool_]:
        """(N,) whether features are stored; False for None."""
        with self._explained("read"):
            places = self._index.locate(self._index.find_space(space), digests)
        stored: NDArray[np.bool_] = places[:, 0] >= 0
        return stored

    def add(self, space: Space, backbone: str, digests: Sequence[bytes], features: NDArray[Any]) -> None:
        """Write one shard: features (N, D) of images with these digests.

        Raises:
            StoreError: the disk is full or the folder cannot be written; what was stored before stays.
        """
        if not digests:
            return
        data = encode_shard(space, backbone, list(digests), features)
        checksum = hashlib.sha256(data).hexdigest()
        # Named by its content: processes that embed the same images at once never overwrite each other's bytes.
        file = f"{space.key[:16]}/{checksum[:32]}.safetensors"
        with self._explained("written"):
            number = self._index.make_space(space, backbone)
            write_atomically(self._shard_path(file), data)
            self._index.add_shard(number, file, checksum, len(data), digests)

    def remember(self, read: Sequence[tuple[FileStamp, bytes]], read_ns: int) -> None:
        """Keep digests of files that were read from `read_ns` (nanoseconds since the epoch) on."""
        if read and not self.read_only:
            with self._explained("written"):
                self._index.remember(read, read_ns)

    def gather(self, space: Space, digests: Sequence[bytes]) -> NDArray[Any]:
        """Features (N, D) in the order of the digests; memory-mapped when they are large.

        Raises:
            MissingFeatures: some are not stored, or their shards turned out damaged and were set aside.
            StoreError: the store cannot be read.
        """
        with self._explained("read"):
            places = self._index.locate(self._index.find_space(space), digests)
            if (places[:, 0] < 0).any():
                raise MissingFeatures
            return self._assemble(places, self._index.shards(np.unique(places[:, 0]).tolist()))

    def spaces(self) -> list[tuple[str, str, str, int, int]]:
        """Backbone, numerics, view, number of images and bytes of every space that holds images."""
        with self._explained("read"):
            return self._index.spaces()

    def bytes_on_disk(self) -> int:
        """Size of everything in the folder."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # another process may tidy up
                total += path.stat().st_size if path.is_file() else 0
        return total

    def verify(self) -> Report:
        """Check the index and every shard's bytes, set what is damaged aside, take in shards the index does not know.

        Raises:
            StoreError: the index is damaged; it is set aside and made again by the next use of the store.
        """
        with self._explained("verified"):
            damage = self._index.damage()
            if damage is not None:
                raise self._index_set_aside(damage)
            records = self._index.shards()
            bad = []
            for record in records:
                try:
                    read_features(self._shard_path(record.file), record.sha256)
                except CorruptShard as fault:
                    self._set_aside(record, fault)
                    bad.append(record.file)
            return Report(len(records), tuple(bad), adopted=self._adopt_unknown({record.file for record in records}))

    def prune(self, backbone: str | None = None) -> Report:
        """Free disk space: leftovers of killed runs, an hour old or older, damaged shards, and one backbone's features.

        Checkpoints of trainings that were killed are such leftovers too: the next run begins again.

        Args:
            backbone: full name of a backbone whose embeddings are deleted too; None for none.

        Raises:
            UnknownName: the store holds nothing of that backbone.
        """
        with self._explained("pruned"):
            known = {space[0] for space in self._index.spaces()}
            if backbone is not None and backbone not in known:
                raise unknown_name("backbone in the cache", backbone, known, "oodkit cache info")
            before = self.bytes_on_disk()
            doomed = self._index.shards_of(None) + ([] if backbone is None else self._index.shards_of(backbone))
            for record in doomed:
                self._index.drop_shard(record.id)
                self._shard_path(record.file).unlink(missing_ok=True)
            now = time.time()
            for path in self.folder.rglob("*"):
                with contextlib.suppress(FileNotFoundError):  # another process may finish or tidy up
                    passing = path.name.endswith(PARTIAL_SUFFIX) or path.parent == self.folder / TRAINING
                    if path.suffix == ".bad" or (passing and now - path.stat().st_mtime > _STALE_SECONDS):
                        path.unlink()
            self._index.forget_files([path for path in self._index.file_paths() if not Path(path).is_file()])
            return Report(len(doomed), freed_bytes=max(0, before - self.bytes_on_disk()))

    def _assemble(self, places: NDArray[np.int64], records: Sequence[ShardRecord]) -> NDArray[Any]:
        target: NDArray[Any] | None = None
        order = np.argsort(places[:, 0], kind="stable")
        starts = np.searchsorted(places[order, 0], [record.id for record in records])
        damaged = len(records) < len(np.unique(places[:, 0]))  # another process set one aside
        for start, end, record in zip(starts, [*starts[1:], len(order)], records, strict=True):
            rows = order[start:end]
            try:
                features = read_features(self._shard_path(record.file), record.sha256)
            except CorruptShard as fault:
                self._set_aside(record, fault)
                damaged = True
                continue
            if target is None:
                target = self._new_array((len(places), features.shape[1]), features.dtype)
            target[rows] = features[places[rows, 1]]
        if damaged or target is None:
            raise MissingFeatures
        return target

    def _new_array(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array to fill: in memory, or when it is large in a file without a name that ends with the process."""
        size = shape[0] * shape[1] * dtype.itemsize
        if size < MAP_FROM_BYTES:
            return np.empty(shape, dtype=dtype)
        with tempfile.TemporaryFile(dir=None if self.read_only else self.folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is an error now, not a crash while the map is written
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
            return np.memmap(file, dtype=dtype, mode="r+", shape=shape)

    def _set_aside(self, record: ShardRecord, fault: CorruptShard) -> None:
        path = self._shard_path(record.file)
        if self.read_only:
            raise StoreError(
                f"{path} is damaged ({fault}) and the cache is read-only; give --cache another folder"
            ) from fault
        _log.warning("cache: %s is damaged (%s); set aside, its images are embedded again", record.file, fault)
        self._index.drop_shard(record.id)
        if path.is_file():
            path.replace(path.with_suffix(".bad"))

    def _adopt_unknown(self, known: set[str]) -> int:
        adopted = 0
        for path in sorted((self.folder / "shards").rglob("*.safetensors")):
            file = path.relative_to(self.folder / "shards").as_posix()
            if file in known:
                continue
            try:
                space, backbone, digests = read_contents(path)
            except CorruptShard:
                path.replace(path.with_suffix(".bad"))
                continue
            data = path.read_bytes()
            number = self._index.make_space(space, backbone)
            adopted += self._index.add_shard(number, file, hashlib.sha256(data).hexdigest(), len(data), digests)
        return adopted

    def _shard_path(self, file: str) -> Path:
        return self.folder / "shards" / file

    def _open_index(self) -> Index:
        path = self._index_path
        is_new = not path.is_file() or path.stat().st_size == 0
        try:
            self._index = Index(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or not _is_damage(error):
                raise
            self._index_set_aside(str(error))
            self._index, is_new = Index(path), True
        if is_new:  # the shards say themselves what they hold, so a lost index costs no embedding
            self._adopt_unknown(set())
        return self._index

    @property
    def _index_path(self) -> Path:
        return self.folder / "index.sqlite"

    def _index_set_aside(self, damage: str) -> StoreError:
        """Move a damaged index out of the way; returns the error for a use that cannot go on without it."""
        path = self._index_path
        with contextlib.suppress(FileNotFoundError):
            path.replace(path.with_suffix(".bad"))
        for journal in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            journal.unlink(missing_ok=True)
        reason = " ".join(damage.split())
        _log.warning("cache: the index is damaged (%s); set aside, to be made again from the shards", reason)
        return StoreError(
            f"the index of the cache at {self.folder} is damaged and was set aside; run the same command again: "
            "the index is made again from the shards"
        )

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OodkitError:
            raise
        except (OSError, sqlite3.Error) as error:
            if isinstance(error, sqlite3.Error) and _is_damage(error) and not self.read_only:
                raise self._index_set_aside(str(error)) from error
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise StoreError(
                f"the cache at {self.folder} cannot be {what} ({reason}); what it holds is kept: "
                "free space or permissions there, or give --cache another folder"
            ) from error


def _cache_folder(folder: str | os.PathLike[str] | None) -> Path:
    return default_cache() if folder is None else Path(folder).expanduser()


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_NOTADB)
    return (code & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class MissingFeatures(Exception):
    """Features that were asked for are not in the store."""
