"""knn over an index of faiss."""

import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone

from oodkit.errors import InvalidInput, MissingDependency, TooFewSamples
from oodkit.scorers import KNN, load
from oodkit.scorers.faiss_index import IndexSettings
from oodkit.testing import check_scorer

KINDS = ("flat", "ivf", "hnsw", "pq")


def test_without_faiss_one_line_names_the_extra(monkeypatch) -> None:
    """An index without the package that makes it says what to install; the exact search needs nothing."""
    monkeypatch.setitem(sys.modules, "faiss", None)
    rows = np.eye(5)

    with pytest.raises(MissingDependency, match=r"index= of knn needs the package faiss; pip install 'oodkit-vision"):
        KNN(index="flat").fit(rows)
    assert KNN().fit(rows).score_samples(rows).tolist() == [1] * 5


def test_wrong_settings_are_one_line() -> None:
    """Unknown kinds, numbers out of range and codes that do not divide the features."""
    rows = np.random.default_rng(0).standard_normal((300, 12))
    for settings, message in (
        ({"index": "tree"}, "index must be one of 'flat', 'ivf', 'hnsw', 'pq', got 'tree'"),
        ({"index": "ivf", "nprobe": 0}, "nprobe must be an integer of at least 1, got 0"),
        ({"index": "ivf", "nlist": 301}, "nlist must be at most 300, the number of fit samples, got 301"),
        ({"index": "pq", "code_bytes": 5}, "code_bytes must divide the 12 features, got 5; nearest is 4"),
    ):
        pytest.importorskip("faiss")
        with pytest.raises(InvalidInput, match=message):
            KNN(**settings).fit(rows)
    with pytest.raises(TooFewSamples, match="index='pq' needs at least 256 fit samples, got 99; take 'flat'"):
        KNN(index="pq").fit(rows[:99])


@pytest.mark.parametrize("kind", ["flat", "ivf", "hnsw"])
def test_keeps_the_contract(kind) -> None:
    """Order and size of batches, gradients, saving, cloning, messages: as every scorer; codes need more rows."""
    pytest.importorskip("faiss")
    check_scorer(KNN(index=kind, nlist=4 if kind == "ivf" else None))


def test_settings_follow_from_the_number_of_rows() -> None:
    """Lists grow with the root of the rows, a search reads a sixteenth, a code has a byte for 8 features."""
    ivf = IndexSettings("ivf").resolved(1_000_000, 768, 1)
    assert (ivf.nlist, ivf.nprobe) == (2000, 125)
    pq = IndexSettings("pq").resolved(1_000_000, 768, 1)
    assert (pq.nlist, pq.nprobe, pq.code_bytes) == (2000, 125, 96)
    assert str(IndexSettings("hnsw").resolved(1000, 7, 300)) == "index='hnsw', links=32, ef_search=300"
    assert IndexSettings("pq").resolved(300, 7, 1).code_bytes == 1
    assert (IndexSettings("ivf").resolved(20, 7, 1).nlist, IndexSettings("ivf").resolved(20, 7, 1).nprobe) == (1, 1)


@pytest.fixture(scope="module")
def groups():
    """Rows in 50 groups, and queries of which some are in groups and some are not."""
    pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((60, 32))
    rows = centres[rng.integers(50, size=4000)] + 0.5 * rng.standard_normal((4000, 32))
    queries = centres[rng.integers(60, size=200)] + 0.5 * rng.standard_normal((200, 32))
    return rows.astype(np.float32), queries.astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_near_the_exact_ones(groups, kind) -> None:
    """The flat index is exact; lists and graph find nearly all; codes approximate; equal fits score alike."""
    rows, queries = groups
    exact = KNN(3).fit(rows).score_samples(queries)

    scores = KNN(3, index=kind).fit(rows).score_samples(queries)

    if kind == "flat":
        np.testing.assert_allclose(scores, exact, atol=1e-6)
    elif kind == "pq":
        assert np.corrcoef(scores, exact)[0, 1] > 0.9
    else:
        assert (scores <= exact + 1e-6).all()
        assert (scores > exact - 1e-6).mean() > 0.8
    if kind != "hnsw":
        assert np.array_equal(KNN(3, index=kind).fit(rows).score_samples(queries), scores)


def test_every_list_read_is_the_exact_search(groups) -> None:
    """With all lists read there is nothing to miss, and the notes say so: 100 %, nothing lost."""
    rows, queries = groups
    knn = KNN(2, index="ivf", nlist=10, nprobe=10).fit(rows)

    np.testing.assert_allclose(knn.score_samples(queries), KNN(2).fit(rows).score_samples(queries), atol=1e-6)
    recall, auroc = knn.notes_
    assert recall == "index='ivf', nlist=10, nprobe=10: gives the nearest other fit row of 100.0 % of 500 fit rows"
    assert auroc.endswith("%: +0.00 (4,000 rows)")


def test_what_an_index_misses_is_said(groups) -> None:
    """One list of many read, and codes of one byte: recall and AUROC in the notes are lower, from fit rows alone."""
    rows, _ = groups
    few = KNN(index="ivf", nlist=200, nprobe=1).fit(rows).notes_
    coarse = KNN(index="pq", code_bytes=1).fit(rows).notes_

    def per_cent(note):
        return float(note.split(" %")[0].rsplit(" ", 1)[1])

    assert per_cent(few[0]) < 90
    assert per_cent(coarse[0]) < 60
    assert per_cent(coarse[1]) < float(coarse[1].split("exact ")[1].split(" %")[0])
    assert KNN(index="flat").fit(rows).notes_ == KNN().fit(rows).notes_ == []
    assert "not measured" in KNN(index="ivf").fit(rows[:500]).notes_[0]


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded_scores_are_the_same_bits(groups, kind, tmp_path) -> None:
    """The folder holds JSON and safetensors; a changed byte is refused; a refit forgets the index."""
    rows, queries = groups
    knn = KNN(2, index=kind).fit(rows)
    knn.save(tmp_path)

    loaded = load(tmp_path)

    assert np.array_equal(loaded.score_samples(queries), knn.score_samples(queries))
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]
    (path,) = tmp_path.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="is damaged"):
        load(tmp_path)
    exact = clone(knn).set_params(index=None).fit(rows)
    refitted = knn.set_params(index=None).fit(rows)
    assert np.array_equal(refitted.score_samples(queries), exact.score_samples(queries))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_neighbours_it_holds(groups, kind) -> None:
    """score_tensor equals score_samples, and its slope is the mean of the held neighbours, along the sphere."""
    rows, queries = groups
    knn = KNN(2, index=kind).fit(rows)
    x = torch.from_numpy(queries[:20]).double().requires_grad_(True)

    scores = knn.score_tensor(x)
    scores.sum().backward()

    np.testing.assert_allclose(scores.detach().numpy(), knn.score_samples(queries[:20]), atol=1e-5)
    step = 1e-4 * x.grad
    moved = knn.score_tensor((x + step).detach())
    assert (moved >= scores.detach() - 1e-7).all()


def test_a_mapped_file_is_read_block_by_block(groups, tmp_path, monkeypatch) -> None:
    """A float16 file gives what the same rows in memory give, whatever the size of the blocks."""
    rows, queries = groups
    half = rows.astype(np.float16)
    np.save(tmp_path / "rows.npy", half)
    scores = KNN(index="ivf").fit(half).score_samples(queries)
    monkeypatch.setattr("oodkit.scorers.faiss_index.BLOCK", 300)

    mapped = KNN(index="ivf").fit(np.load(tmp_path / "rows.npy", mmap_mode="r"))

    np.testing.assert_allclose(mapped.score_samples(queries), scores, atol=1e-6)


def test_a_row_with_too_few_neighbours_in_its_lists_is_searched_everywhere(groups) -> None:
    """k may exceed what one list holds."""
    rows, queries = groups
    knn = KNN(1000, index="ivf", nlist=50, nprobe=1).fit(rows)

    np.testing.assert_allclose(knn.score_samples(queries), KNN(1000).fit(rows).score_samples(queries), atol=1e-6)
