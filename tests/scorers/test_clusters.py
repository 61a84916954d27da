from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import auroc
from oodkit.scorers import KNN, Clusters, Mahalanobis, Need, Prototypes, create
from oodkit.scorers.conformal import LEAST_MEMBERS
from oodkit.testing import Problem, check_scorer, make_problem

DISTANCES = ("cosine", "euclidean", "mahalanobis")


def rows(seed: int, count: int = 60, width: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)) + 1


def many_rows(needs: frozenset[Need]) -> Problem:
    """The usual problem with 528 rows to fit, as p-values of few held-out rows are coarse."""
    draws = [make_problem(needs, seed) for seed in range(2, 13)]
    features, labels = (np.concatenate([getattr(draw, name) for draw in draws]) for name in ("features", "labels"))
    return replace(make_problem(needs), features=features, labels=labels)


def ranks(scores: np.ndarray) -> np.ndarray:
    return scores.argsort(kind="stable")


def test_two_pairs_by_hand() -> None:
    """Clusters (0, 0), (0, 2) and (10, 0), (10, 2) have means (0, 1) and (10, 1): (3, 1) is 3 from the nearer."""
    fit = np.array([[0.0, 0], [10, 0], [0, 2], [10, 2]])

    scorer = Clusters(clusters=2, distance="euclidean").fit(fit)

    np.testing.assert_allclose(scorer.score_samples(np.array([[3.0, 1], [10, 1]])), [-3, 0], atol=1e-12)


@given(st.integers(0, 10**6))
def test_classes_are_what_other_scorers_have(seed) -> None:
    """With classes as clusters the scores are those of `prototypes` and `mahalanobis`."""
    fit, queries = rows(seed), rows(seed + 1, 20)
    labels = np.arange(60) % 3
    peers = {
        "cosine": Prototypes(),
        "euclidean": Prototypes("euclidean"),
        "mahalanobis": Mahalanobis(),
    }
    for distance, peer in peers.items():
        found = Clusters("classes", distance=distance).fit(fit, labels).score_samples(queries)
        np.testing.assert_allclose(found, peer.fit(fit, labels).score_samples(queries), rtol=1e-9, atol=1e-12)
    own = Clusters("classes", distance="mahalanobis", covariance="per_class").fit(fit, labels)
    expected = Mahalanobis(covariance="per_class").fit(fit, labels).score_samples(queries)
    np.testing.assert_allclose(own.score_samples(queries), expected, rtol=1e-9)


def test_one_cluster_is_one_gaussian() -> None:
    """One cluster is one Gaussian, with its own covariance or the shared one; its mean squared distance is D."""
    fit, queries = rows(0, 200, 8), rows(1, 20, 8)
    shared = Clusters(clusters=1, distance="mahalanobis").fit(fit)
    own = Clusters(clusters=1, distance="mahalanobis", covariance="per_class").fit(fit)

    np.testing.assert_allclose(shared.score_samples(queries), own.score_samples(queries), rtol=1e-9)
    np.testing.assert_allclose(shared.score_samples(queries), Mahalanobis().fit(fit).score_samples(queries), rtol=1e-9)
    assert shared.score_samples(fit).mean() == pytest.approx(-8, rel=1e-9)


def test_as_many_clusters_as_rows_is_the_nearest_neighbour() -> None:
    """Each row a cluster: minus the distance to the nearest row, or the cosine with it."""
    fit, queries = rows(0, 12), rows(1, 20)
    euclidean = Clusters(clusters=12, distance="euclidean").fit(fit).score_samples(queries)
    expected = -np.linalg.norm(queries[:, None] - fit, axis=2).min(axis=1)

    np.testing.assert_allclose(euclidean, expected, rtol=1e-9)
    cosine = Clusters(clusters=12).fit(fit).score_samples(queries)
    np.testing.assert_allclose(cosine, KNN().fit(fit).score_samples(queries), atol=1e-6)


@given(st.integers(0, 10**6))
def test_mahalanobis_is_unchanged_by_affine_maps(seed) -> None:
    """Any invertible map of all rows leaves distances to given clusters as they are."""
    rng = np.random.default_rng(seed)
    fit, queries, labels = rows(seed), rows(seed + 1, 20), np.arange(60) % 3
    a, t = np.eye(4) + 0.3 * rng.uniform(-1, 1, (4, 4)), rng.standard_normal(4)
    for covariance in ("shared", "per_class"):
        scorer = Clusters("classes", distance="mahalanobis", covariance=covariance)
        expected = scorer.fit(fit, labels).score_samples(queries)
        found = scorer.fit(fit @ a + t, labels).score_samples(queries @ a + t)
        np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_cosine_and_euclidean_rank_alike_for_one_cluster_of_directions() -> None:
    """On rows of length 1 and one centre, |f - m|^2 is |f|^2 + |m|^2 - 2 f.m: the order is that of the cosine."""
    fit, queries = rows(0), rows(1, 20)
    cosine = Clusters(clusters=1).fit(fit).score_samples(queries)
    euclidean = Clusters(clusters=1, distance="euclidean", normalize=True).fit(fit).score_samples(queries)

    assert np.array_equal(ranks(cosine), ranks(euclidean))


@pytest.mark.parametrize("distance", DISTANCES)
def test_p_values_of_one_cluster_rank_as_the_similarity(distance) -> None:
    """In (0, 1], and never the other way round than the similarity of the same clusters; far rows tie."""
    fit, queries = rows(0, 200), np.concatenate([rows(1, 50), rows(2, 5) - 100])
    scorer = Clusters(clusters=1, distance=distance, threshold="per_cluster").fit(fit)
    found = scorer.score_samples(queries)
    similarity = scorer._similarity(torch.from_numpy(queries))[0].numpy()

    assert ((found > 0) & (found <= 1)).all()
    assert (np.diff(found[ranks(similarity)]) >= 0).all()
    np.testing.assert_allclose(found[-5:], 1 / 41)


@pytest.mark.parametrize("distance", DISTANCES)
def test_p_values_by_a_loop(distance) -> None:
    """A loop over the held-out rows of the nearest cluster gives the same; small clusters take all held-out rows."""
    fit = np.concatenate([rows(0, 200) + 20 * np.eye(4)[0], rows(1, 200) + 20 * np.eye(4)[1], rows(2, 30) - 20])
    labels = np.repeat([0, 1, 2], [200, 200, 30])
    queries = np.concatenate([fit[::9] + 0.5, rows(3, 10)])
    scorer = Clusters("classes", distance=distance, threshold="per_cluster").fit(fit, labels)
    from oodkit.scorers.holdout import held_out

    apart = held_out(torch.from_numpy(fit), torch.from_numpy(labels), 0.2, 0).numpy()
    held, held_in = (part.numpy() for part in scorer._similarity(torch.from_numpy(fit[apart])))
    similar, at = (part.numpy() for part in scorer._similarity(torch.from_numpy(queries)))
    expected = []
    for s, c in zip(similar, at, strict=True):
        own = held[held_in == c]
        own = held if len(own) < LEAST_MEMBERS else own
        expected.append((1 + (own <= s).sum()) / (len(own) + 1))

    np.testing.assert_allclose(scorer.score_samples(queries), expected)
    assert any("fewer than 20 held-out rows" in note for note in scorer.notes_)


def test_p_values_of_other_rows_are_nearly_uniform() -> None:
    """Of fresh rows of the same distribution about a share a has a p-value of at most a, in each cluster alike."""
    rng = np.random.default_rng(0)
    spreads, of = np.array([0.2, 2.0]), np.arange(4000) % 2
    centres = 30 * np.eye(2, 3)

    def draw() -> np.ndarray:
        return centres[of] + spreads[of, None] * rng.standard_normal((4000, 3))

    scorer = Clusters(clusters=2, distance="euclidean", threshold="per_cluster", holdout=0.5).fit(draw())
    found = scorer.score_samples(draw())

    for cluster in (0, 1):
        for share in (0.05, 0.5):
            assert np.mean(found[of == cluster] <= share) == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("covariance", ["shared", "per_class"])
@pytest.mark.parametrize("clustering", ["kmeans", "classes"])
def test_every_cell_of_the_grid_keeps_the_contract(clustering, distance, covariance) -> None:
    """All clusterings and distances, with one threshold and with one per cluster, keep the rules of scorers."""
    if covariance == "per_class" and distance != "mahalanobis":
        pytest.skip("covariances are for the Mahalanobis distance")
    usual = Clusters(clustering, 3, distance, covariance=covariance)
    check_scorer(usual, problem=make_problem(usual.needs | usual.optional))
    by_p_value = Clusters(clustering, 3, distance, "per_cluster", covariance=covariance)
    check_scorer(by_p_value, problem=many_rows(by_p_value.needs | by_p_value.optional))


@pytest.mark.parametrize(
    ("distance", "score"),
    [(d, s) for d in DISTANCES for s in ("margin", "soft_min", "z_score") if (d, s) != ("mahalanobis", "margin")],
)
def test_every_combination_keeps_the_contract(distance, score) -> None:
    """As every cell of the grid, but for margins of squared distances, which grow far away and say so."""
    check_scorer(Clusters(distance=distance, combination=score, clusters=2), problem=many_rows(frozenset()))


def test_combinations_by_hand() -> None:
    """Means 0 and 10, a row at 3: distances 3 and 7, so margin 4, soft minimum log(e^-3 + e^-7)."""
    fit, row = np.array([[-1.0], [1], [9], [11]]), np.array([[3.0]])
    scorer = Clusters(clusters=2, distance="euclidean", combination="margin").fit(fit)

    assert scorer.score_samples(row) == pytest.approx(4)
    soft = Clusters(clusters=2, distance="euclidean", combination="soft_min", temperature=2).fit(fit)
    assert soft.score_samples(row) == pytest.approx(2 * np.log(np.exp(-1.5) + np.exp(-3.5)))
    nearest = Clusters(clusters=2, distance="euclidean").fit(fit)
    sharp = Clusters(clusters=2, distance="euclidean", combination="soft_min", temperature=1e-3).fit(fit)
    assert sharp.score_samples(row) == pytest.approx(nearest.score_samples(row))


def test_z_scores_make_clusters_of_different_spread_alike() -> None:
    """A tight and a wide cluster: held-out rows of both have z-scores of mean 0, and a step counts more in one."""
    rng = np.random.default_rng(0)
    tight, wide = rng.standard_normal((600, 3)), np.array([100, 0, 0]) + 10 * rng.standard_normal((600, 3))
    scorer = Clusters(clusters=2, distance="euclidean", combination="z_score").fit(np.concatenate([tight, wide]))

    scores = scorer.score_samples(np.array([[0.0, 8, 0], [100, 8, 0]]))

    assert scores[0] < -4 < 0 < scores[1]
    assert abs(scorer.score_samples(rng.standard_normal((500, 3))).mean()) < 0.2


def test_combinations_that_cannot_be() -> None:
    """Of one cluster there is no second; a p-value is of the nearest alone; what ranks far rows first says so."""
    fit = rows(0)
    assert "far images pass" in Clusters(clusters=2, distance="mahalanobis", combination="margin").fit(fit).notes_[-1]
    with pytest.raises(TooFewSamples, match="combination='margin' needs at least 2 clusters, found 1"):
        Clusters(clusters=1, combination="margin").fit(fit)
    with pytest.raises(
        InvalidInput, match="combination='margin' is for threshold='global', got threshold='per_cluster'"
    ):
        Clusters(combination="margin", threshold="per_cluster").fit(fit)
    with pytest.raises(InvalidInput, match="temperature must be a positive number, got 0"):
        Clusters(combination="soft_min", temperature=0).fit(fit)


def test_temi_keeps_the_contract() -> None:
    """Clusters by TEMI keep the rules too, by batch and one by one."""
    scorer = Clusters("temi", 3, heads=1, epochs=2)
    check_scorer(scorer, problem=make_problem(scorer.optional))


def test_two_halves_of_the_same_images_are_not_told_apart() -> None:
    """Fresh rows of the fit distribution against others: AUROC 0.5 within three standard errors."""
    fit, inside, others = rows(0, 300), rows(1, 400), rows(2, 400)
    for threshold in ("global", "per_cluster"):
        scorer = Clusters(clusters=3, threshold=threshold).fit(fit)
        found = auroc(scorer.score_samples(inside), scorer.score_samples(others))
        assert found == pytest.approx(0.5, abs=3 * 0.0205)


def test_single_member_clusters_and_runs_repeat() -> None:
    """A far row that is a cluster by itself is no trouble; the same seed gives the same scores."""
    fit = np.concatenate([rows(0), [[1000.0, 0, 0, 0]]])
    for distance in DISTANCES:
        for covariance in ("shared", "per_class"):
            scorer = Clusters(clusters=2, distance=distance, covariance=covariance)
            first = scorer.fit(fit).score_samples(fit)
            assert np.isfinite(first).all()
            assert np.array_equal(scorer.fit(fit).score_samples(fit), first)


def test_number_of_clusters() -> None:
    """As many as the labels have classes, 10 without labels, or what is asked for; labels are said to be unused."""
    fit, labels = rows(0), np.arange(60) % 7

    assert Clusters().fit(fit, labels).n_clusters_ == 7
    assert Clusters().fit(fit).n_clusters_ == 10
    asked = Clusters(clusters=4).fit(fit, labels)
    assert asked.n_clusters_ == 4
    assert any("labels are not used" in note for note in asked.notes_)
    assert Clusters().fit(fit).notes_ == []


def test_what_cannot_be_fitted() -> None:
    """Classes without labels, more clusters than rows, nothing to hold out and wrong words are one line each."""
    fit = rows(0)
    with pytest.raises(InvalidInput, match="Clusters requires y to be passed"):
        Clusters("classes").fit(fit)
    with pytest.raises(InvalidInput, match="1 feature"):
        Clusters().fit(fit[:, :1])
    with pytest.raises(TooFewSamples, match="clusters=61 needs at least 61 fit samples"):
        Clusters(clusters=61).fit(fit)
    with pytest.raises(TooFewSamples, match="no row can be held out of 2"):
        Clusters(clusters=1, threshold="per_cluster").fit(fit[:2])
    for bad in ({"distance": "manhattan"}, {"threshold": "two"}, {"holdout": 0}, {"holdout": 1}, {"clusters": 0}):
        (name,) = bad
        with pytest.raises(InvalidInput, match=f"^{name} must be "):
            create("clusters", **bad).fit(fit)
    with pytest.raises(InvalidInput, match="has no gradients"):
        Clusters(threshold="per_cluster").fit(fit).score_tensor(torch.from_numpy(fit))
