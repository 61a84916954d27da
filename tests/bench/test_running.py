"""Running: once embedded, once fitted, kept when done, and going on where it stood."""

import time
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from oodkit.bench.auditing import Auditor
from oodkit.bench.planning import make_plan
from oodkit.bench.results import Results
from oodkit.bench.running import run_plan
from oodkit.bench.suite import BackboneChoice, Pair, ScorerChoice
from oodkit.data import load_dataset
from oodkit.embedding import Embeddings, embed
from oodkit.errors import StoreError
from oodkit.scorers import KNN, MSP
from tests.bench.conftest import TOWERS, paint

TIMES = ("seconds", "finished", "provenance")


@pytest.fixture
def run(options, results):
    """`run(suite)`: the outcome."""
    return lambda suite: run_plan(make_plan(suite, options, results, trial=False), results)


def table(records):
    """What a table shows: everything but times."""
    return [{name: value for name, value in record.to_dict().items() if name not in TIMES} for record in records]


def test_a_cell_is_what_numpy_computes_on_the_stored_embeddings(make_suite, run, results, options, painted):
    """AUROC of the largest cosine, in float64, by scikit-learn; the scores beside it are those cosines."""
    record = next(r for r in run(make_suite()).records if (r.scorer, r.out) == ("knn", "cold"))
    parts: list[Embeddings] = [
        embed(load_dataset(name, data_root=painted), f"{TOWERS}:two_classes", cache=options.cache)
        for name in ("warm:train", "warm:test", "cold")
    ]
    fit, test, out = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in
                      (part.features.astype(np.float64) for part in parts))  # fmt: skip
    in_scores, out_scores = (test @ fit.T).max(axis=1), (out @ fit.T).max(axis=1)
    area = roc_auc_score([1] * len(in_scores) + [0] * len(out_scores), np.concatenate([in_scores, out_scores]))
    assert record.auroc == pytest.approx(area, abs=1e-6)
    kept = results.scores(record.key)
    np.testing.assert_allclose(kept.in_scores, in_scores, atol=1e-6)
    np.testing.assert_allclose(kept.out_scores, out_scores, atol=1e-6)
    assert kept.in_ids.tolist() == list(parts[1].ids)
    assert kept.out_ids.tolist() == list(parts[2].ids)


def test_an_image_is_embedded_once_and_a_scorer_fitted_once(make_suite, run, monkeypatch):
    """Over all out-sets of an in-set; a second run does neither."""
    fits = []
    fit = KNN._fit
    monkeypatch.setattr(KNN, "_fit", lambda self, train: fits.append(1) or fit(self, train))
    suite = make_suite(scorers=(ScorerChoice("knn"),))
    outcome = run(suite)
    assert (outcome.embedded, outcome.ran, len(fits)) == (84, 2, 1)
    outcome = run(suite)
    assert (outcome.embedded, outcome.ran, len(fits)) == (0, 0, 1)


def test_records_say_what_they_came_from(make_suite, run, options):
    """Head, input size, versions, content hashes and the command to run the cell again."""
    record = next(r for r in run(make_suite(about="mind this")).records if r.scorer == "msp")
    assert (record.head, record.image_size, record.precision, record.view) == ("backbone", 8, "fp32", "identity")
    assert (record.n_fit, record.n_in, record.n_out) == (24, 24, 24)
    assert record.provenance["about"] == "mind this"
    assert set(record.provenance["images"]) == {"fit", "in", "out"}
    assert record.provenance["command"].startswith("oodkit bench --suite colours --pair warm:cold --backbone module:")
    assert record.provenance["versions"]["torch"]
    assert set(record.seconds) == {"fit", "score_in", "score_out"}
    assert (record.provenance["knn_accuracy"], record.provenance["image_text"]) == (1.0, False)


def test_a_failing_scorer_is_a_row_with_its_error_and_the_rest_goes_on(make_suite, run, results, monkeypatch):
    """Whatever it raises; it is tried again next time."""

    def fail(self, train):
        raise ZeroDivisionError("a fault\nof its own")

    with monkeypatch.context() as broken:
        broken.setattr(KNN, "_fit", fail)
        outcome = run(make_suite())
    assert [record.scorer for record in outcome.failed] == ["knn", "knn"]
    assert outcome.failed[0].error == "ZeroDivisionError: a fault of its own"
    assert outcome.failed[0].auroc is None
    assert len(outcome.records) == len(results.records()) == 4
    again = run(make_suite())
    assert (again.ran, again.failed) == (2, ())
    assert all(record.error is None for record in results.records())


def test_an_out_set_that_cannot_be_scored_fails_alone(make_suite, run, monkeypatch):
    """The scorer's other out-sets have figures."""
    score = MSP.score_samples

    def some(self, x):
        if len(x) == 12:  # the images of `plain`
            raise ValueError("not these")
        return score(self, x)

    monkeypatch.setattr(MSP, "score_samples", some)
    outcome = run(make_suite())
    assert [(record.scorer, record.out, record.error) for record in outcome.failed] == [
        ("msp", "plain", "ValueError: not these")
    ]


def test_an_unreadable_out_set_fails_its_own_cells(make_suite, options, results, tmp_path):
    """Those of the other out-sets have figures."""
    root = tmp_path / "root"
    for name, colour in (("warm/train/red", "red"), ("warm/train/green", "green"), ("warm/test/red", "red")):
        paint(root / name, colour, 4, 0)
    paint(root / "cold", "blue", 4, 1)
    paint(root / "plain", "grey", 4, 2)
    (root / "plain" / "0.png").write_bytes(b"no image")
    suite = make_suite(pairs=(Pair("warm", "plain"), Pair("warm", "cold")))
    outcome = run_plan(make_plan(suite, replace(options, data_root=root), results), results)
    assert {(record.out, record.error is None) for record in outcome.records} == {("plain", False), ("cold", True)}
    assert "0.png" in (outcome.failed[0].error or "")
    skipping = replace(options, data_root=root, skip_unreadable=True)
    outcome = run_plan(make_plan(suite, skipping, results), results)
    assert not outcome.failed
    assert any("1 unreadable images of plain" in note for record in outcome.records for note in record.notes)


def test_an_out_set_with_the_images_of_the_in_set_fails_its_cells(make_suite, options, results, tmp_path):
    """Copies under other names are found when their contents are known."""
    root = tmp_path / "root"
    paint(root / "warm" / "train" / "red", "red", 4, 0)
    paint(root / "warm" / "test" / "red", "red", 4, 1)
    paint(root / "copy", "red", 4, 1)
    paint(root / "cold", "blue", 4, 2)
    suite = make_suite(pairs=(Pair("warm", "copy"), Pair("warm", "cold")), scorers=(ScorerChoice("knn"),))
    outcome = run_plan(make_plan(suite, replace(options, data_root=root), results), results)
    assert [(record.out, record.error is None) for record in outcome.records] == [("copy", False), ("cold", True)]


def test_a_disk_that_fills_up_ends_the_run_and_loses_nothing(make_suite, run, results, monkeypatch):
    """The error goes through; finished cells stand, and the next run goes on after them."""
    add, kept = Results.add, []

    def until_full(self, record, scores):
        if len(kept) == 2:
            raise StoreError("no space left")
        kept.append(record)
        add(self, record, scores)

    with monkeypatch.context() as full:
        full.setattr(Results, "add", until_full)
        with pytest.raises(StoreError, match="no space left"):
            run(make_suite())
    assert len(results.records()) == 2
    assert run(make_suite()).ran == 2


def test_the_same_contents_under_other_names_are_not_run_again(make_suite, run, results):
    """A cell of another suite, or a set by another name, takes the result and its own names."""
    run(make_suite())
    outcome = run(make_suite(name="other", pairs=(Pair("warm", "cold@blue,grey"),)))
    assert outcome.ran == 0
    assert {(record.suite, record.out) for record in outcome.records} == {("other", "cold@blue,grey")}
    assert len(results.records("colours")) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"scorers": (ScorerChoice("knn", {"k": 2}),)},
        {"backbones": (BackboneChoice(f"{TOWERS}:five_classes"),)},
        {"backbones": (BackboneChoice(f"{TOWERS}:two_classes", image_size=6),)},
        {"backbones": (BackboneChoice(f"{TOWERS}:two_classes", precision="bf16"),)},
        {"backbones": (BackboneChoice(f"{TOWERS}:two_classes", head="probe"),)},
        {"limit": 20},
        {"view": "rotate90"},
    ],
)
def test_other_contents_are_run_anew(make_suite, options, results, change):
    """Parameters, weights, preprocessing, precision, head, images and view are part of the key."""
    first = make_plan(make_suite(), options, results, trial=False)
    second = make_plan(make_suite(**change), options, results, trial=False)
    assert not {cell.key for cell in first.cells} & {cell.key for cell in second.cells}
    assert None not in {cell.key for cell in (*first.cells, *second.cells)}


def test_changed_code_is_run_anew(make_suite, options, results, monkeypatch):
    """A result of other code is not taken for this code's."""
    first = make_plan(make_suite(), options, results, trial=False)
    monkeypatch.setattr("oodkit.bench.keys.scorer_digest", lambda kind: "other code")
    second = make_plan(make_suite(), options, results, trial=False)
    assert not {cell.key for cell in first.cells} & {cell.key for cell in second.cells}


def test_seeds_are_cells_of_their_own(make_suite, run):
    """Halves differ with the seed, and so do the figures."""
    suite = make_suite(pairs=(Pair("cold", "warm"),), seeds=(0, 1, 2), scorers=(ScorerChoice("knn"),))
    records = run(suite).records
    assert [record.seed for record in records] == [0, 1, 2]
    assert len({record.provenance["images"]["fit"] for record in records}) == 3
    assert all("seeded half" in record.notes[0] for record in records)


def test_names_of_out_classes_are_fitted_per_out_set_and_doubted(make_suite, run):
    """Such a scorer is fitted to each out-set, and its figure says so."""
    suite = make_suite(
        backbones=(BackboneChoice(f"{TOWERS}:clip"),), scorers=(ScorerChoice("in_out_names", where="a file, line 1"),)
    )
    suite = replace(suite, pairs=(Pair("warm", "cold"),))
    outcome = run(suite)
    assert not outcome.failed
    assert any("names of" in doubt for doubt in outcome.records[0].doubts)


def test_a_run_that_is_killed_goes_on_to_the_identical_table(make_suite, options, tmp_path):
    """kill -9 at several moments; the table and all scores are those of a run that was never stopped."""
    suite = make_suite(scorers=tuple(ScorerChoice(name) for name in ("knn", "msp", "energy", "mahalanobis", "ssd")))

    def go(folder, cache):
        with Results(folder) as kept:
            return run_plan(make_plan(suite, replace(options, cache=cache), kept, trial=False), kept).records

    whole = go(tmp_path / "whole", tmp_path / "c")
    rng = np.random.default_rng(0)
    folder, cache = tmp_path / "killed", tmp_path / "d"
    for _ in range(4):
        process = get_context("fork").Process(target=go, args=(folder, cache))
        process.start()
        time.sleep(float(rng.uniform(0.02, 0.4)))
        process.kill()
        process.join()
    resumed = go(folder, cache)
    assert table(resumed) == table(whole)
    with Results(folder) as a, Results(tmp_path / "whole") as b:
        assert table(a.records()) == table(b.records())
        for record in whole:
            np.testing.assert_array_equal(a.scores(record.key).out_scores, b.scores(record.key).out_scores)


def test_an_audit_is_made_once_per_pair_and_its_doubts_stand_beside_every_figure(make_suite, options, results):
    """Over scorers and seeds; results that were made without one are doubted when they are used again."""
    suite = make_suite(pairs=(Pair("cold", "warm"),), seeds=(0, 1))
    plain = run_plan(make_plan(suite, options, results, trial=False), results)
    calls = []

    class Counting(Auditor):
        def audit(self, in_, halves, out, images):
            calls.append(halves.fit.ids)
            return super().audit(in_, halves, out, images)

    auditor = Counting(suite, options.cache)
    audited = run_plan(make_plan(suite, options, results, trial=False), results, auditor)
    assert audited.ran == 0
    assert len(set(map(tuple, calls))) == 1
    assert len(auditor._made) == 1
    assert all(record.provenance["audited"] for record in audited.records)
    assert not any(record.provenance["audited"] for record in plain.records)
    again = run_plan(make_plan(suite, options, results, trial=False), results, Counting(suite, options.cache))
    assert table(again.records) == table(audited.records)
