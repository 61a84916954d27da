"""Results: nothing is lost, nothing is half there, and a reader finds what is current."""

import os
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest

from oodkit.bench import results as results_module
from oodkit.bench.record import CellScores
from oodkit.bench.results import DATABASE, Results
from oodkit.errors import DataNotFound, StoreError
from tests.bench.records import make_record, make_scores


@pytest.fixture
def results(tmp_path):
    """Results in a new folder."""
    with Results(tmp_path / "results") as made:
        yield made


def test_what_is_added_is_found_again(results):
    """A record and its scores come back equal, from the same object and from a new one."""
    record, scores = make_record(), make_scores()
    results.add(record, scores)
    for reader in (results, Results(results.folder, make=False)):
        assert reader.get(record.key) == record
        assert reader.records() == [record]
        found = reader.scores(record.key)
        np.testing.assert_array_equal(found.in_ids, scores.in_ids)
        np.testing.assert_array_equal(found.in_scores, scores.in_scores)
        np.testing.assert_array_equal(found.out_ids, scores.out_ids)
        np.testing.assert_array_equal(found.out_scores, scores.out_scores)


def test_empty_results_hold_nothing(results):
    """New results have no records, and a missing key has neither record nor scores."""
    assert results.records() == []
    assert results.get("0" * 64) is None
    with pytest.raises(DataNotFound, match="no scores of cell 0000"):
        results.scores("0" * 64)


def test_infinite_scores_are_kept(results):
    """Scores of plus and minus infinity come back as they were."""
    scores = CellScores(np.array(["a"]), np.array([np.inf]), np.array(["b"]), np.array([-np.inf]))
    results.add(make_record(), scores)
    assert results.scores(make_record().key).in_scores[0] == np.inf
    assert results.scores(make_record().key).out_scores[0] == -np.inf


def test_records_of_one_suite_can_be_asked_for(results):
    """A suite's records are its own; the same cell may stand in two suites."""
    results.add(make_record(), make_scores())
    results.add(make_record(suite="ci"), make_scores())
    assert [record.suite for record in results.records("ci")] == ["ci"]
    assert {record.suite for record in results.records()} == {"ci", "demo"}


def test_adding_a_cell_again_replaces_it(results):
    """A failed cell that succeeds later is one record."""
    failed = make_record(auroc=None, error="memory")
    results.add(failed, None)
    assert results.done() == set()
    results.add(make_record(), make_scores())
    assert results.records() == [make_record()]
    assert results.done() == {make_record().key}


def test_a_record_that_did_not_fail_is_found_before_one_that_did(results):
    """`get` over suites prefers a result to an error, whichever came last."""
    results.add(make_record(), make_scores())
    results.add(make_record(suite="ci", error="no"), None)
    assert results.get(make_record().key).error is None


def test_only_the_current_record_of_a_place_is_listed(results):
    """When contents change (code, weights, images), the newer record counts, until the older one is used again."""
    old, new = make_record(), make_record(key="cd" * 32, auroc=0.1)
    results.add(old, make_scores())
    results.add(new, make_scores())
    assert results.records() == [new]
    results.use_again("demo", [old.key])
    assert results.records() == [old]
    assert results.get(new.key) == new


def test_records_come_in_an_order_that_does_not_depend_on_time(results):
    """The table of a run that was interrupted is that of one that was not."""
    records = [make_record(key=f"{i}" * 64, scorer=name) for i, name in enumerate(["knn", "energy", "msp"])]
    for record in records:
        results.add(record, None)
    assert [record.scorer for record in results.records()] == ["energy", "knn", "msp"]


def test_results_that_are_not_there_are_refused_when_they_are_only_read(tmp_path):
    """A reader makes no empty folder and says what to run."""
    with pytest.raises(DataNotFound, match="run `oodkit bench` first"):
        Results(tmp_path / "none", make=False)
    assert not (tmp_path / "none").exists()


def test_a_newer_schema_is_refused_and_left_alone(results):
    """Results of a newer version are named as such, and nothing is written to them."""
    results.add(make_record(), make_scores())
    with sqlite3.connect(results.folder / DATABASE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match=r"newer oodkit \(schema 99.*upgrade"):
        Results(results.folder)
    with sqlite3.connect(results.folder / DATABASE) as db:
        assert db.execute("SELECT COUNT(*) FROM cells").fetchone() == (1,)
    db.close()


def test_a_database_of_an_older_schema_is_brought_up(tmp_path):
    """An empty database (version 0) gets the tables."""
    sqlite3.connect(tmp_path / DATABASE).close()
    with Results(tmp_path) as results:
        results.add(make_record(), None)
        assert len(results.records()) == 1


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    """What is not SQLite is refused in a line that says what to do."""
    (tmp_path / DATABASE).write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="not a database; give another --results"):
        Results(tmp_path)


def test_a_locked_database_is_one_line_and_nothing_is_lost(results):
    """A writer that holds the lock for longer than one waits is named; what stood stands."""
    results.add(make_record(), make_scores())
    holder = sqlite3.connect(results.folder / DATABASE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another process is writing"):
        Results(results.folder, wait=0.05)
    holder.execute("ROLLBACK")
    holder.close()
    assert Results(results.folder).records() == [make_record()]


def test_a_full_disk_is_one_line_and_nothing_is_lost(results, monkeypatch):
    """Scores that cannot be written leave no record behind; earlier ones stand."""
    results.add(make_record(), make_scores())

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results_module, "write_atomically", full)
    with pytest.raises(StoreError, match="No space left on device; make room"):
        results.add(make_record(key="cd" * 32, scorer="msp"), make_scores())
    assert results.records() == [make_record()]


def test_a_database_that_cannot_grow_is_one_line_and_nothing_is_lost(results):
    """SQLite's own full disk is said with what to do."""
    results.add(make_record(), make_scores())
    pages = results._db.execute("PRAGMA page_count").fetchone()[0]
    results._db.execute(f"PRAGMA max_page_count = {pages}")

    def fill():
        for i in range(100):
            results.add(make_record(key=f"{i:064d}", seed=i), None)

    with pytest.raises(StoreError, match="full; free some space"):
        fill()
    assert results.get(make_record().key) == make_record()


def test_a_damaged_scores_file_is_one_line(results):
    """A Parquet file that cannot be read is named."""
    results.add(make_record(), make_scores())
    (file,) = results.folder.rglob("*.parquet")
    file.write_bytes(b"PAR1 nonsense")
    with pytest.raises(StoreError, match="cannot be read"):
        results.scores(make_record().key)


def test_several_writers_at_once_lose_nothing(tmp_path):
    """Four writers with their own connections add 40 records; all are there."""

    def write(writer):
        with Results(tmp_path) as results:
            for i in range(10):
                results.add(make_record(key=f"{writer}{i}" * 32, seed=10 * writer + i), make_scores())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(Results(tmp_path).records()) == 40


def test_a_writer_that_is_killed_leaves_whole_records(tmp_path):
    """After kill -9 every record without an error has its scores."""

    def write():
        results = Results(tmp_path)
        for i in range(10**6):
            results.add(make_record(key=f"{i:064x}", seed=i), make_scores(i))

    writer = get_context("fork").Process(target=write)
    writer.start()
    while not list(tmp_path.rglob("*.parquet")):
        time.sleep(0.02)
    time.sleep(0.1)
    writer.kill()
    writer.join()
    with Results(tmp_path) as results:
        found = results.records()
        assert found
        for record in found:
            np.testing.assert_array_equal(results.scores(record.key).in_scores, make_scores(record.seed).in_scores)
        results.add(replace(make_record(), seed=-1), make_scores())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_metric_that_is_not_finite_is_refused(results, bad):
    """No record says NaN: JSON has none, and a table must not show it."""
    with pytest.raises(ValueError, match="JSON"):
        results.add(make_record(auroc=bad), None)
    assert results.records() == []


@pytest.fixture
def read_only(monkeypatch):
    """Nothing may be written; said by the operating system's answer, since root may write what nobody may."""
    monkeypatch.setattr("oodkit.bench.results.os.access", lambda path, mode: mode != os.W_OK)


def test_a_folder_that_may_not_be_written_can_be_read(tmp_path, read_only):
    """Records and scores; not a file is made or changed beside them."""
    folder = tmp_path / "results"
    with Results(folder) as results:
        results.add(make_record(), make_scores())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with Results(folder, make=False) as results:
        assert results.records() == [make_record()]
        assert results.done() == {make_record().key}
        assert len(results.scores(make_record().key).in_ids) == 3
        with pytest.raises(StoreError, match="readonly"):
            results.add(make_record(seed=1), None)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_another_process_is_writing_is_read_as_well(tmp_path, read_only):
    """Its log stands beside the database."""
    folder = tmp_path / "results"
    with Results(folder) as writer:
        writer.add(make_record(), None)
        with Results(folder, make=False) as reader:
            assert reader.records() == [make_record()]
