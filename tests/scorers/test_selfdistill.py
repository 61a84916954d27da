"""Self-distillation with shifted negatives."""

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax

from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.metrics import auroc
from oodkit.scorers import SelfDistill
from oodkit.scorers.distillation_head import DistillationHead

FAST = {"epochs": 8, "hidden": 32, "code": 16, "weak_views": 2}


def clusters(count, seed, which=range(6), width=8):
    """Rows around corners of a cube, none of them named."""
    rng = np.random.default_rng(seed)
    corners = 4 * np.eye(width)[list(which)]
    return (corners[rng.integers(len(corners), size=count)] + 0.6 * rng.standard_normal((count, width))).astype("f4")


def views_of(rows, seed=1):
    """Two mild views, and one that leads to other corners."""
    rng = np.random.default_rng(seed)
    mild = [rows + 0.2 * rng.standard_normal(rows.shape) for _ in range(2)]
    return np.stack([*mild, np.roll(rows, 4, axis=1) - rows]).astype("f4")


ROWS = clusters(240, 0)
VIEWS = views_of(ROWS)
AUX = np.stack([clusters(50, 11, (6, 7)), -clusters(50, 12, (6, 7))])


def fit(**parameters):
    return SelfDistill(**{**FAST, **parameters}).fit(ROWS, views=VIEWS)


@pytest.fixture(scope="module")
def fitted():
    return fit()


@pytest.fixture(scope="module")
def plain():
    return {score: fit(score=score, add_cosine=False) for score in ("bank", "uniformity", "sum")}


def parts(scorer, queries):
    """Bank score, uniformity and cosine by the formulas, in float64."""

    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    p = {name: value.double().numpy() for name, value in vars(scorer).items() if isinstance(value, torch.Tensor)}
    rows = torch.from_numpy((unit(queries) - p["centre_"]) @ p["basis_"])
    names = ("weight1_", "bias1_", "weight2_", "bias2_", "weight3_", "gain3_")
    head = DistillationHead(*(torch.from_numpy(p[name]) for name in names))
    codes, logits = head.codes(rows).numpy(), head.logits(rows).numpy()
    bank = 0.04 * (logsumexp(codes @ unit(p["codes_"]).T / 0.04, axis=1) - np.log(len(ROWS)))
    q = softmax((logits - p["logit_centre_"]) / 0.02, axis=1)
    entropy = -np.sum(q * np.log(q + 1e-300), axis=1)
    return bank, np.log(q.shape[1]) - entropy, (unit(queries) @ unit(ROWS.astype("f8")).T).max(axis=1)


def test_scores_are_the_formulas(plain, fitted):
    """Bank, uniformity, and sums of standardised parts, by NumPy in float64."""
    queries = clusters(20, 3).astype("f8")
    bank, even, cosine = parts(plain["bank"], queries)
    np.testing.assert_allclose(plain["bank"].score_samples(queries), bank, atol=1e-5)
    np.testing.assert_allclose(plain["uniformity"].score_samples(queries), even, atol=1e-4)
    means, units = (getattr(plain["sum"], name).double().numpy() for name in ("means_", "units_"))
    expected = (bank - means[0]) / units[0] + (even - means[1]) / units[1]
    np.testing.assert_allclose(plain["sum"].score_samples(queries), expected, atol=1e-3)
    means, units = (getattr(fitted, name).double().numpy() for name in ("means_", "units_"))
    expected = (bank - means[0]) / units[0] + (cosine - means[2]) / units[2]
    np.testing.assert_allclose(fitted.score_samples(queries), expected, atol=1e-3)


def test_parts_are_standardised_on_held_out_rows(fitted):
    """Mean and deviation are those of a tenth of the rows, judged by the others: near 0 and 1 on rows like these."""
    scores = fitted.score_samples(clusters(600, 4))
    assert abs(np.median(scores)) < 1.5
    assert 0.5 < scores.std() < 6


def test_a_score_depends_on_its_own_row_alone(fitted):
    """In a batch, one by one, in any order and beside other rows: the same."""
    rows, others = clusters(30, 5), 50 * clusters(40, 6, (6, 7))
    scores = fitted.score_samples(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    np.testing.assert_allclose([fitted.score_samples(row[None])[0] for row in rows], scores, atol=1e-4)
    np.testing.assert_allclose(fitted.score_samples(rows[order]), scores[order], atol=1e-4)
    np.testing.assert_allclose(fitted.score_samples(np.concatenate([others, rows]))[len(others) :], scores, atol=1e-4)


@pytest.mark.parametrize("kind", ["bank", "uniformity", "sum"])
def test_two_halves_of_one_set_are_not_told_apart(plain, kind):
    """AUROC is 0.5 within three standard errors."""
    found = auroc(*(plain[kind].score_samples(half) for half in np.split(clusters(800, 7), 2)))
    assert abs(found - 0.5) < 3 * np.sqrt((2 * 400 + 1) / (12 * 400**2))


def test_what_is_shifted_becomes_uniform():
    """New rows of the clusters are answered more surely than their shifted views; uniformity tells them apart."""
    scorer = fit(epochs=60, patience=60, learning_rate=1e-2, score="uniformity", add_cosine=False, momentum=0.9)
    rows = clusters(300, 8)
    shifted = views_of(rows)[2]
    inside, outside = scorer.score_samples(rows), scorer.score_samples(shifted)
    assert auroc(inside, outside) > 0.85
    assert outside.mean() < inside.mean() - 0.3
    assert min(scorer.losses_) < scorer.losses_[0]


def test_views_follow_the_parameters():
    """Mild ones, local ones, shifted ones; with an auxiliary set alone, none of the fit images are shifted."""
    assert SelfDistill().view_names() == ("mild1", "rotate90")
    assert SelfDistill(shift="rotate").aux_view_names() == ("rotate90", "rotate180", "rotate270")
    scorer = SelfDistill(weak_views=1, local_views=2, shift="patches2+pixels", shift_draws=2, shift_aux=False)
    assert scorer.view_names() == ("mild1", "local1", "local2", "patches2_1", "patches2_2", "pixels1", "pixels2")
    assert scorer.aux_view_names() == ()
    assert SelfDistill(negatives="aux").view_names() == ("mild1",)
    assert SelfDistill(negatives="own").aux_view_names() == ()


@pytest.mark.parametrize(
    ("negatives", "aux", "words"),
    [
        ("auto", None, "negatives: rotate90 of the fit images"),
        ("auto", AUX, "negatives: rotate90 of the fit images, and images of the auxiliary set (rotate90)"),
        ("both", AUX, "negatives: rotate90 of the fit images, and images of the auxiliary set (rotate90)"),
        ("aux", AUX, "negatives: images of the auxiliary set (rotate90)"),
        ("own", None, "negatives: rotate90 of the fit images"),
    ],
)
def test_negatives_are_said(negatives, aux, words):
    """The notes have which negatives were used."""
    views = VIEWS[:2] if negatives == "aux" else VIEWS
    scorer = SelfDistill(negatives=negatives, **{**FAST, "epochs": 1}).fit(ROWS, views=views, aux=aux)
    assert scorer.notes_ == [words]


@pytest.mark.parametrize("negatives", ["aux", "both"])
def test_an_auxiliary_set_that_is_missing_is_said(negatives):
    """One line that says how to give it."""
    views = VIEWS[:2] if negatives == "aux" else VIEWS
    with pytest.raises(InvalidInput, match=rf"^negatives={negatives} of SelfDistill needs .*aux.*--aux D$"):
        SelfDistill(negatives=negatives, **FAST).fit(ROWS, views=views)


def test_the_seed_decides(fitted):
    """The same seed gives the same scores bit for bit, another one others."""
    rows = clusters(20, 9)
    assert np.array_equal(fitted.score_samples(rows), fit().score_samples(rows))
    assert not np.array_equal(fitted.score_samples(rows), fit(seed=1).score_samples(rows))


def test_outputs_are_no_more_than_rows_allow(fitted):
    """A twentieth of the rows."""
    assert fitted.logit_centre_.shape == (12,)
    assert 1 <= len(fitted.losses_) <= FAST["epochs"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"score": "mean"}, "score must be one of"),
        ({"shift": "rotate45"}, "shift must be one of"),
        ({"negatives": "some"}, "negatives must be one of"),
        ({"weak_views": 0}, "weak_views must be"),
        ({"neighbour_share": 1.5}, "neighbour_share must be a share from 0 to 1"),
        ({"momentum": 1.5}, "momentum must be a number from 0 to 1"),
        ({"temperature": 0}, "temperature must be a positive number"),
        ({"weight": -1}, "weight must be a number of at least 0"),
        ({"outputs": 1}, "outputs must be an integer of at least 2"),
        ({"k": 217}, "k must be an integer from 1 to 216"),
        ({"add_cosine": 1}, "add_cosine must be True or False"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, words):
    """One line each."""
    with pytest.raises(InvalidInput, match=words):
        fit(**parameters)


def test_too_few_rows_are_refused():
    """Fewer than 8, and rows that are all equal."""
    with pytest.raises(TooFewSamples, match="needs at least 8 fit samples, got 7"):
        SelfDistill(**FAST).fit(ROWS[:7], views=VIEWS[:, :7])
    with pytest.raises(TooFewSamples, match="all fit samples are equal"):
        SelfDistill(**FAST).fit(np.ones((10, 3)), views=np.ones((3, 10, 3)))


def test_a_rate_that_is_too_high_is_said():
    """A loss that is no number stops the fit with step and settings."""
    with pytest.raises(InvalidInput, match=r"the loss is (nan|inf) at step \d+ of \d+ .learning_rate=1e\+30"):
        fit(learning_rate=1e30)
