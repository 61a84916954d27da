"""The store's index: which image's features lie in which row of which shard. SQLite, safe for several processes."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oodkit.data.image_set import FileStamp
from oodkit.embedding.shard import Space
from oodkit.errors import StoreError

SCHEMA_VERSION = 1
_SCHEMA = (
    "CREATE TABLE spaces (id INTEGER PRIMARY KEY, key TEXT UNIQUE, fingerprint TEXT, numerics TEXT, view TEXT, "
    "backbone TEXT)",
    "CREATE TABLE shards (id INTEGER PRIMARY KEY, space INTEGER, file TEXT UNIQUE, sha256 TEXT, bytes INTEGER, "
    "count INTEGER)",
    "CREATE TABLE rows (space INTEGER, digest BLOB, shard INTEGER, place INTEGER, PRIMARY KEY (space, digest)) "
    "WITHOUT ROWID",
    "CREATE INDEX rows_by_shard ON rows (shard)",
    "CREATE TABLE files (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, digest BLOB) "
    "WITHOUT ROWID",
)
# A file that was changed within the resolution of its time stamp, after it was read, would look unchanged.
_TOO_FRESH_NS = 2_000_000_000


@dataclass(frozen=True)
class ShardRecord:
    """What the index knows of a shard: its id, file name, checksum, size in bytes and number of rows."""

    id: int
    file: str
    sha256: str
    bytes: int
    count: int


class Index:
    """Rows, shards and remembered digests; every public method is one short transaction.

    Args:
        path: the database file, made when it is not there.

    Raises:
        StoreError: it cannot be opened, or was made by a newer version.
        sqlite3.DatabaseError: the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self.read_only = False
        self._db = self._connect(path)
        self._db.execute("CREATE TEMP TABLE wanted (i INTEGER PRIMARY KEY, item)")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def find_space(self, space: Space) -> int:
        """The number of a space; -1 when nothing of it was ever stored."""
        with self._lock:
            found = self._db.execute("SELECT id FROM spaces WHERE key = ?", (space.key,)).fetchone()
            return -1 if found is None else int(found[0])

    def make_space(self, space: Space, backbone: str) -> int:
        """The number of a space, given one when it is new."""
        with self._lock, self._writing():
            self._db.execute(
                "INSERT OR IGNORE INTO spaces (key, fingerprint, numerics, view, backbone) VALUES (?,?,?,?,?)",
                (space.key, *asdict(space).values(), backbone),
            )
            return self.find_space(space)

    def locate(self, space: int, digests: Sequence[bytes | None]) -> NDArray[np.int64]:
        """(N, 2): shard id and row of each digest; -1 where it is not stored."""
        with self._lock, self._wanted(digests):
            found = self._db.execute(
                "SELECT w.i, r.shard, r.place FROM wanted w JOIN rows r ON r.space = ? AND r.digest = w.item", (space,)
            ).fetchall()
        places = np.full((len(digests), 2), -1, dtype=np.int64)
        if found:
            table = np.array(found, dtype=np.int64)
            places[table[:, 0]] = table[:, 1:]
        return places

    def shards(self, ids: Sequence[int] | None = None) -> list[ShardRecord]:
        """Records of the shards with these ids, or of all."""
        with self._lock:
            if ids is None:
                found = self._db.execute("SELECT id, file, sha256, bytes, count FROM shards ORDER BY id").fetchall()
            else:
                with self._wanted(list(ids)):
                    found = self._db.execute(
                        "SELECT s.id, s.file, s.sha256, s.bytes, s.count FROM wanted w JOIN shards s ON s.id = w.item "
                        "ORDER BY s.id"
                    ).fetchall()
        return [ShardRecord(*row) for row in found]

    def add_shard(self, space: int, file: str, sha256: str, size: int, digests: Sequence[bytes]) -> bool:
        """Record a shard and its rows; False, changing nothing, when the file is recorded already."""
        with self._lock, self._writing():
            added = self._db.execute(
                "INSERT OR IGNORE INTO shards (space, file, sha256, bytes, count) VALUES (?,?,?,?,?)",
                (space, file, sha256, size, len(digests)),
            )
            if added.rowcount == 0:
                return False
            shard = added.lastrowid
            self._db.executemany(
                "INSERT OR IGNORE INTO rows (space, digest, shard, place) VALUES (?,?,?,?)",
                [(space, digest, shard, place) for place, digest in enumerate(digests)],
            )
            return True

    def drop_shard(self, shard: int) -> None:
        """Forget a shard and its rows."""
        with self._lock, self._writing():
            self._db.execute("DELETE FROM rows WHERE shard = ?", (shard,))
            self._db.execute("DELETE FROM shards WHERE id = ?", (shard,))

    def remembered(self, stamps: Sequence[FileStamp | None]) -> list[bytes | None]:
        """The digest of each file whose path, size and time are as they were when it was read."""
        with self._lock, self._wanted([stamp.path if stamp else None for stamp in stamps]):
            found = self._db.execute(
                "SELECT w.i, f.size, f.mtime_ns, f.ctime_ns, f.digest FROM wanted w JOIN files f ON f.path = w.item"
            ).fetchall()
        digests: list[bytes | None] = [None] * len(stamps)
        for i, size, mtime_ns, ctime_ns, digest in found:
            stamp = stamps[i]
            if stamp is not None and (stamp.size, stamp.mtime_ns, stamp.ctime_ns) == (size, mtime_ns, ctime_ns):
                digests[i] = digest
        return digests

    def remember(self, read: Sequence[tuple[FileStamp, bytes]], read_ns: int) -> None:
        """Keep digests of files that were read at `read_ns`, except of those changed just before."""
        settled = read_ns - _TOO_FRESH_NS
        rows = [
            (s.path, s.size, s.mtime_ns, s.ctime_ns, digest)
            for s, digest in read
            if s.mtime_ns < settled and s.ctime_ns < settled
        ]
        with self._lock, self._writing():
            self._db.executemany("INSERT OR REPLACE INTO files VALUES (?,?,?,?,?)", rows)

    def spaces(self) -> list[tuple[str, str, str, int, int]]:
        """Backbone, numerics, view, number of images and bytes of every space that holds images."""
        with self._lock:
            return self._db.execute(
                "SELECT p.backbone, p.numerics, p.view, (SELECT COUNT(*) FROM rows r WHERE r.space = p.id), "
                "SUM(s.bytes) FROM spaces p JOIN shards s ON s.space = p.id "
                "GROUP BY p.id ORDER BY p.backbone, p.numerics, p.view"
            ).fetchall()

    def damage(self) -> str | None:
        """What SQLite's own check finds wrong with the file; None for nothing."""
        with self._lock:
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            return None if found == "ok" else str(found)

    def shards_of(self, backbone: str | None) -> list[ShardRecord]:
        """Records of all shards of a backbone's name, or of those without a row in use when the name is None."""
        query = "SELECT s.id, s.file, s.sha256, s.bytes, s.count FROM shards s "
        with self._lock:
            if backbone is None:
                query += "WHERE NOT EXISTS (SELECT 1 FROM rows r WHERE r.shard = s.id)"
                return [ShardRecord(*row) for row in self._db.execute(query)]
            query += "JOIN spaces p ON p.id = s.space WHERE p.backbone = ?"
            return [ShardRecord(*row) for row in self._db.execute(query, (backbone,))]

    def forget_files(self, paths: Sequence[str]) -> None:
        """Drop remembered digests of files."""
        with self._lock, self._writing():
            self._db.executemany("DELETE FROM files WHERE path = ?", [(path,) for path in paths])

    def file_paths(self) -> list[str]:
        """Paths of all files whose digests are remembered."""
        with self._lock:
            return [row[0] for row in self._db.execute("SELECT path FROM files")]

    @contextmanager
    def _wanted(self, items: Sequence[object]) -> Iterator[None]:
        self._db.executemany(
            "INSERT INTO wanted VALUES (?,?)", ((i, item) for i, item in enumerate(items) if item is not None)
        )
        try:
            yield
        finally:
            self._db.execute("DELETE FROM wanted")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _connect(self, path: Path) -> sqlite3.Connection:
        with ExitStack() as unwanted:  # connections that are closed unless one of them is returned
            try:
                db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
                unwanted.callback(db.close)
                db.execute("PRAGMA temp_store = MEMORY")
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                # Only what says that nothing can be written here; a full disk or a lock is something else.
                cannot_write = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
                if not cannot_write or not path.is_file():
                    raise
                unwanted.close()
                db = sqlite3.connect(
                    f"{path.absolute().as_uri()}?mode=ro&immutable=1",
                    uri=True,
                    isolation_level=None,
                    check_same_thread=False,
                )
                unwanted.callback(db.close)
                db.execute("PRAGMA temp_store = MEMORY")
                self.read_only = True
            self._check_schema(db, path)
            unwanted.pop_all()
        return db

    def _check_schema(self, db: sqlite3.Connection, path: Path) -> None:
        """Refuse a newer schema, and make the tables of a new database."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the cache at {path.parent} was made by a newer oodkit (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade oodkit or give another --cache"
            )
        if version == 0 and not self.read_only:
            for statement in _SCHEMA:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        if not self.read_only:
            db.execute("COMMIT")
