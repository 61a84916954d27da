"""Results of benchmarks in a folder: records in SQLite, scores of each cell in a Parquet file beside it."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from oodkit.atomic import write_atomically
from oodkit.bench.record import CellScores, Record
from oodkit.errors import DataNotFound, StoreError

DATABASE = "results.sqlite"
SCORES = "scores"
SCHEMA_VERSION = 1
# Statements that take a database from the version of their place in the list to the next one.
_MIGRATIONS = (
    (
        # turn: grows with every record that is added or used again, so that the current ones are the largest.
        "CREATE TABLE cells (suite TEXT, key TEXT, place TEXT, turn INTEGER, failed INTEGER, record TEXT, "
        "PRIMARY KEY (suite, key)) WITHOUT ROWID",
        "CREATE INDEX cells_by_key ON cells (key)",
        "CREATE INDEX cells_by_turn ON cells (turn)",
        "CREATE INDEX cells_by_place ON cells (place, turn)",
    ),
)


def default_results() -> Path:
    """OODKIT_RESULTS, or `oodkit-results` in the working folder."""
    named = os.environ.get("OODKIT_RESULTS")
    return Path(named).expanduser() if named else Path("oodkit-results")


class Results:
    """Records and scores of benchmarks; several processes may write at once, and a record is whole or not there.

    Args:
        folder: where the database and the scores lie.
        make: make the folder when it is not there, instead of refusing. One that may not be written can be read.
        wait: seconds to wait for another process that writes.

    Raises:
        DataNotFound: no results are there.
        StoreError: they cannot be opened, or were written by a newer version.
    """

    def __init__(self, folder: Path, *, make: bool = True, wait: float = 60) -> None:
        self.folder = Path(folder)
        self._lock = threading.RLock()
        path = self.folder / DATABASE
        if not make and not path.is_file():
            raise DataNotFound(f"no results at {self.folder}; run `oodkit bench` first, or give --results FOLDER")
        is_readable_only = not make and not _is_writable(self.folder, path)
        with self._explained():
            if make:
                self.folder.mkdir(parents=True, exist_ok=True)
            target = _uri(path) if is_readable_only else path
            self._db = sqlite3.connect(
                target, timeout=wait, isolation_level=None, check_same_thread=False, uri=is_readable_only
            )
            try:
                if is_readable_only:
                    self._check_version()
                else:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._db.execute("PRAGMA synchronous = NORMAL")
                    self._migrate()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    def add(self, record: Record, scores: CellScores | None) -> None:
        """Keep a record and its scores; one of the same suite and key is replaced.

        Args:
            record: of a cell.
            scores: of its images; None where the cell failed.

        Raises:
            StoreError: it could not be written; what stood before stands.
        """
        row = json.dumps(record.to_dict(), sort_keys=True, allow_nan=False)
        with self._explained():
            if scores is not None:  # first, so that a record without an error always has its scores
                write_atomically(self._scores_file(record.key), _to_parquet(scores))
            with self._writing():
                self._db.execute(
                    "INSERT OR REPLACE INTO cells VALUES (?,?,?,(SELECT COALESCE(MAX(turn), 0) + 1 FROM cells),?,?)",
                    (record.suite, record.key, record.place, record.error is not None, row),
                )

    def get(self, key: str) -> Record | None:
        """The record of a cell, of whatever suite; one that did not fail before one that did."""
        with self._explained(), self._lock:
            query = "SELECT record FROM cells WHERE key = ? ORDER BY failed, turn DESC LIMIT 1"
            found = self._db.execute(query, (key,)).fetchone()
        return None if found is None else Record.from_dict(json.loads(found[0]))

    def use_again(self, suite: str, keys: Iterable[str]) -> None:
        """Make these the current ones of their places, where records of other contents were added since."""
        with self._explained(), self._writing():
            (turn,) = self._db.execute("SELECT COALESCE(MAX(turn), 0) + 1 FROM cells").fetchone()
            self._db.executemany(
                "UPDATE cells SET turn = ? WHERE suite = ? AND key = ?", [(turn, suite, key) for key in keys]
            )

    def done(self) -> set[str]:
        """Keys of all cells that did not fail."""
        with self._explained(), self._lock:
            return {row[0] for row in self._db.execute("SELECT DISTINCT key FROM cells WHERE NOT failed")}

    def records(self, suite: str | None = None) -> list[Record]:
        """The current records of a suite, or of all, ordered by what the cells are called.

        Of records of one place, whose code, weights or images differ, it is the one that was made or used last.
        """
        query = (
            "SELECT record FROM cells AS cell WHERE (?1 IS NULL OR suite = ?1) AND NOT EXISTS "
            "(SELECT 1 FROM cells AS later WHERE later.place = cell.place AND later.turn > cell.turn) ORDER BY place"
        )
        with self._explained(), self._lock:
            return [Record.from_dict(json.loads(row[0])) for row in self._db.execute(query, (suite,))]

    def scores(self, key: str) -> CellScores:
        """The scores of a cell's images.

        Raises:
            DataNotFound: none are kept of it.
        """
        path = self._scores_file(key)
        if not path.is_file():
            raise DataNotFound(f"no scores of cell {key[:12]} at {self.folder}; run its suite again")
        try:
            return _from_parquet(path.read_bytes())
        except (OSError, pa.ArrowException, KeyError) as error:
            raise StoreError(f"{path} cannot be read ({error}); delete it and its results, and run again") from error

    def _scores_file(self, key: str) -> Path:
        return self.folder / SCORES / key[:2] / f"{key}.parquet"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite and the file system say into one line with a next step."""
        try:
            yield
        except sqlite3.Error as error:
            reason = str(error)
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            advice = "give another --results FOLDER"
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                advice = "another process is writing; wait for it, or give another --results FOLDER"
            elif code == sqlite3.SQLITE_FULL:
                advice = "free some space and run again; what was finished is kept"
            raise StoreError(f"the results at {self.folder} cannot be used: {reason}; {advice}") from error
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            reason = error.strerror or str(error)
            raise StoreError(
                f"the results at {self.folder} cannot be written: {reason}; make room or give another --results "
                "FOLDER, and run again; what was finished is kept"
            ) from error

    def _check_version(self) -> int:
        version: int = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the results at {self.folder} were written by a newer oodkit (schema {version}, this one reads "
                f"{SCHEMA_VERSION}); upgrade oodkit or give another --results FOLDER"
            )
        return version

    def _migrate(self) -> None:
        with self._writing():
            version = self._check_version()
            for statements in _MIGRATIONS[version:]:
                for statement in statements:
                    self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _is_writable(folder: Path, database: Path) -> bool:
    return os.access(folder, os.W_OK) and os.access(database, os.W_OK)


def _uri(database: Path) -> str:
    """For reading alone; without a log beside the database nobody writes, and SQLite needs no files for locks."""
    has_log = database.with_name(database.name + "-wal").exists()
    return database.absolute().as_uri() + ("?mode=ro" if has_log else "?mode=ro&immutable=1")


def _to_parquet(scores: CellScores) -> bytes:
    is_in = np.repeat([True, False], [len(scores.in_scores), len(scores.out_scores)])
    table = pa.table(
        {
            "id": pa.array([*scores.in_ids.tolist(), *scores.out_ids.tolist()], pa.string()),
            "in": pa.array(is_in),
            "score": pa.array(np.concatenate([scores.in_scores, scores.out_scores]), pa.float64()),
        }
    )
    stream = BytesIO()
    pq.write_table(table, stream, compression="zstd", use_dictionary=["in"])
    return stream.getvalue()


def _from_parquet(data: bytes) -> CellScores:
    table = pq.read_table(BytesIO(data))
    ids = np.array(table["id"].to_pylist(), dtype=np.str_)
    is_in = table["in"].to_numpy()
    scores = table["score"].to_numpy()
    return CellScores(ids[is_in], scores[is_in], ids[~is_in], scores[~is_in])
