"""Semantic similarity to the nearest neighbour."""

import copy

import numpy as np
import pytest
import torch

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import auroc
from oodkit.scorers import SemSAD
from oodkit.scorers.semsad import _Pairs

FAST = {"epochs": 8, "hidden": 32}


def clusters(count, seed, which=range(6), width=8):
    """Rows around corners of a cube, none of them named."""
    rng = np.random.default_rng(seed)
    corners = 4 * np.eye(width)[list(which)]
    return (corners[rng.integers(len(corners), size=count)] + 0.6 * rng.standard_normal((count, width))).astype("f4")


def views_of(rows, seed=1, mild=0.2, strong=1.0):
    rng = np.random.default_rng(seed)
    spreads = (mild, strong)
    return np.stack([rows + spread * rng.standard_normal(rows.shape) for spread in spreads]).astype("f4")


ROWS = clusters(240, 0)
VIEWS = views_of(ROWS)


@pytest.fixture(scope="module")
def fitted():
    return SemSAD(**FAST).fit(ROWS, views=VIEWS)


@pytest.fixture(scope="module")
def transductive():
    return SemSAD(transductive=True, **FAST).fit(ROWS, views=VIEWS)


def test_other_clusters_score_lower(fitted):
    """Rows of the clusters score above those of two that were never seen."""
    inside, outside = fitted.score_samples(clusters(200, 2)), fitted.score_samples(clusters(200, 3, (6, 7)))
    assert auroc(inside, outside) > 0.9


def test_log_odds_of_the_nearest_row_are_the_score():
    """With k = 1 and no cosine, the score is z(neighbour, row) as an independent float64 computation has it."""
    scorer = SemSAD(k=1, add_cosine=False, **FAST).fit(ROWS, views=VIEWS)
    queries = clusters(20, 4).astype(np.float64)

    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def normed(x, gain, shift):
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) * gain + shift
        return torch.nn.functional.gelu(torch.from_numpy(x)).numpy()

    p = {name: getattr(scorer, name).double().numpy() for name in vars(scorer) if name[-2:] in ("1_", "2_", "3_")}
    nearest = (unit(queries) @ unit(ROWS.astype(np.float64)).T).argmax(axis=1)
    centre, basis = scorer.centre_.double().numpy(), scorer.basis_.double().numpy()
    u, v = ((unit(x) - centre) @ basis for x in (ROWS[nearest].astype(np.float64), queries))
    x = np.concatenate([u, v, abs(u - v), u * v], axis=1)
    x = normed(normed(x @ p["weight1_"], p["gain1_"], p["shift1_"]) @ p["weight2_"], p["gain2_"], p["shift2_"])
    np.testing.assert_allclose(scorer.score_samples(queries), (x @ p["weight3_"] + p["bias3_"])[:, 0], atol=1e-4)


def test_a_score_depends_on_its_own_row_alone(fitted):
    """In a batch, one by one, in any order and beside other rows: the same."""
    rows, others = clusters(30, 5), 50 * clusters(40, 6, (6, 7))
    scores = fitted.score_samples(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose([fitted.score_samples(row[None])[0] for row in rows], scores, atol=1e-5)
    np.testing.assert_allclose(fitted.score_samples(rows[order]), scores[order], atol=1e-5)
    np.testing.assert_allclose(fitted.score_samples(np.concatenate([others, rows]))[len(others) :], scores, atol=1e-5)


@pytest.mark.parametrize("kind", ["fitted", "transductive"])
def test_two_halves_of_one_set_are_not_told_apart(kind, request):
    """Scored in two calls, AUROC is 0.5 within three standard errors, with batch statistics too."""
    scorer = request.getfixturevalue(kind)
    halves = np.split(clusters(800, 7), 2)
    found = auroc(*(scorer.score_samples(half) for half in halves))
    assert abs(found - 0.5) < 3 * np.sqrt((2 * 400 + 1) / (12 * 400**2))


def test_transductive_scores_depend_on_the_rows_beside_and_say_so(transductive):
    """Other rows in the call change a score by much; the notes and the parameters have the word."""
    rows, others = clusters(30, 5), clusters(300, 6, (6, 7))
    alone = transductive.score_samples(rows)
    beside = transductive.score_samples(np.concatenate([rows, others]))[: len(rows)]
    assert np.abs(beside - alone).max() > 0.2 * alone.std()
    assert "transductive" in transductive.notes_[0]
    assert "transductive=True" in repr(transductive)
    assert np.isfinite(transductive.score_samples(rows[:1])).all()


def test_transductive_rows_are_one_batch_however_many(transductive):
    """No chunk is cut out of the rows of a call."""
    rows = clusters(50, 8)
    scores = transductive.score_samples(rows)
    few = copy.copy(transductive)
    few.chunk_bytes = 1
    np.testing.assert_array_equal(few.score_samples(rows), scores)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose(transductive.score_samples(rows[order]), scores[order], atol=1e-4)


def test_a_row_is_never_its_own_neighbour_in_training():
    """Near neighbours are others, negatives are of other images of the pool, mild views of the same."""
    bank = torch.arange(20.0)[:, None]
    nearest = torch.stack([(torch.arange(20) + 1) % 20, (torch.arange(20) + 2) % 20], dim=1)
    near = (torch.arange(20)[:, None] + 5) % 20
    pairs = _Pairs(bank, bank[None] + 100, bank[None] + 200, nearest, near, 0.25, 0.5)
    pool = torch.arange(0, 20, 2)
    anchors = pool.repeat(400)
    (u, v), (first, negative) = pairs.draw(anchors, pool, torch.Generator().manual_seed(0))
    assert torch.equal(u[:, 0], anchors.float())
    assert torch.equal(first, u)
    is_near = v[:, 0] < 100
    assert 0.22 < float(is_near.float().mean()) < 0.28
    assert set(((v - u)[is_near, 0] % 20).tolist()) == {1.0, 2.0}
    assert ((v - u)[~is_near, 0] == 100).all()
    is_far = negative[:, 0] >= 200
    assert 0.48 < float(is_far.float().mean()) < 0.52
    others = negative[is_far, 0] - 200
    assert (others != anchors[is_far]).all()
    assert set(others.tolist()) == set(pool.float().tolist())
    assert (((negative - u)[~is_far, 0] % 20) == 5).all()


def test_a_copy_of_a_row_is_more_like_it_than_noise(fitted):
    """A fit row scores above a random direction."""
    noise = np.random.default_rng(0).standard_normal((100, 8)).astype("f4")
    assert np.median(fitted.score_samples(ROWS)) > np.quantile(fitted.score_samples(noise), 0.9)


def test_the_seed_decides(fitted):
    """The same seed gives the same scores bit for bit, another one others."""
    rows = clusters(20, 9)
    again = SemSAD(**FAST).fit(ROWS, views=VIEWS).score_samples(rows)
    assert np.array_equal(fitted.score_samples(rows), again)
    assert not np.array_equal(SemSAD(seed=1, **FAST).fit(ROWS, views=VIEWS).score_samples(rows), again)


def test_views_are_named_by_their_numbers():
    """Mild ones, then strong ones."""
    assert SemSAD(mild_views=1, strong_views=2).view_names() == ("mild1", "strong1", "strong2")


def test_training_stops_early(fitted):
    """The losses of held-out pairs are kept, and no more epochs are run than asked for."""
    assert 1 <= len(fitted.losses_) <= FAST["epochs"]
    assert min(fitted.losses_) < fitted.losses_[0]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"k": 0}, "k must be"),
        ({"neighbours": 0}, "neighbours must be"),
        ({"neighbour_share": 1.5}, "neighbour_share must be a share from 0 to 1"),
        ({"near_share": -0.1}, "near_share must be a share from 0 to 1"),
        ({"components": 0}, "components must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"batch_size": 1}, "batch_size must be"),
        ({"learning_rate": 0}, "learning_rate must be a positive number"),
        ({"weight_decay": -1}, "weight_decay must be"),
        ({"transductive": 1}, "transductive must be True or False"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, words):
    """One line each."""
    with pytest.raises(InvalidInput, match=words):
        SemSAD(**parameters).fit(ROWS, views=VIEWS)


def test_too_few_rows_are_refused():
    """A bank smaller than k, rows that are all equal, and views that are missing."""
    with pytest.raises(TooFewSamples, match="k=20 and neighbours=4 need at least 21 fit samples, got 20"):
        SemSAD(k=20).fit(ROWS[:20], views=VIEWS[:, :20])
    with pytest.raises(TooFewSamples, match="at least 8 fit samples, got 7"):
        SemSAD().fit(ROWS[:7], views=VIEWS[:, :7])
    with pytest.raises(TooFewSamples, match="all fit samples are equal"):
        SemSAD().fit(np.ones((10, 3)), views=np.ones((2, 10, 3)))
    with pytest.raises(InvalidInput, match="SemSAD needs features of views"):
        SemSAD().fit(ROWS)
    with pytest.raises(InvalidInput, match=r"mild1, strong1: shape"):
        SemSAD().fit(ROWS, views=VIEWS[:1])


def test_a_rate_that_is_too_high_is_said():
    """A loss that is no number stops the fit with step and settings."""
    with pytest.raises(InvalidInput, match=r"the loss is (nan|inf) at step \d+ of \d+ .learning_rate=1e\+30"):
        SemSAD(learning_rate=1e30, **FAST).fit(ROWS, views=VIEWS)
