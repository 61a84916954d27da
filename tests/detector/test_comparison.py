"""Choosing scorer and backbone by in-distribution images alone."""

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.data.image_list import ImageList
from oodkit.detector.comparison import Candidate, Comparison
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import KNN, Scorer


class Blind(Scorer):
    """Says of every image the same."""

    def _fit(self, train):
        self.seen_ = len(train.features)

    def _score(self, x):
        return x[:, 0] * 0


@pytest.fixture(scope="module")
def coloured():
    """(images, labels): 30 noisy images of each of 4 colours."""
    rng = np.random.default_rng(0)
    colours = np.array([[220, 40, 40], [40, 220, 40], [40, 40, 220], [200, 200, 40]])
    labels = np.repeat(np.arange(4), 30)
    noise = rng.integers(-30, 31, (120, 16, 16, 3))
    pixels = np.clip(colours[labels][:, None, None, :] + noise, 0, 255).astype(np.uint8)
    return [Image.fromarray(one) for one in pixels], labels


@pytest.mark.parametrize("with_labels", [True, False])
def test_the_scorer_that_finds_held_out_groups_is_taken(coloured, tiny_name, with_labels):
    """With classes or with clusters; the comparison says what it was, and is in the folder that is written."""
    images, labels = coloured
    given = {"labels": labels} if with_labels else {}
    detector = oodkit.Detector.choose(images, **given, backbones=[tiny_name], scorers=[Blind(), KNN()])
    assert isinstance(detector.scorer, KNN)
    comparison = detector.origin.comparison
    assert comparison.groups == ("4 classes" if with_labels else "10 k-means clusters")
    assert comparison.images == 96
    best, worst = comparison.candidates
    assert (best.scorer, worst.scorer) == ("KNN()", "Blind()")
    assert best.mean > (0.9 if with_labels else 0.6)
    assert worst.aurocs == (0.5,) * comparison.folds
    assert best.mean == pytest.approx(np.mean(best.aurocs))
    assert best.spread == pytest.approx(np.std(best.aurocs, ddof=1))
    assert Comparison.from_dict(comparison.to_dict()) == comparison


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0.7, 0.8, 0.9), (0.6, 0.7, 0.8), None),  # 10 points, the same in each fold
        (
            (0.7, 0.8, 0.9),
            (0.7, 0.8, 0.9),
            "ahead of the second by 0.00 points, with a standard error over folds of 0.00",
        ),
        (
            (0.7, 0.8, 0.9),
            (0.8, 0.7, 0.8),
            "ahead of the second by 3.33 points, with a standard error over folds of 6.67",
        ),
    ],
)
def test_what_lies_within_two_standard_errors_is_no_clear_winner(first, second, expected):
    """Of the paired differences, by hand; one candidate alone needs no winner."""
    candidates = [
        Candidate("b", name, auroc, float(np.mean(auroc)), 0.1) for name, auroc in (("A", first), ("B", second))
    ]
    found = Comparison(tuple(candidates), {}, "4 classes", 3, 99, 0)

    assert found.doubt is None if expected is None else expected in found.doubt
    assert Comparison.from_dict(found.to_dict()) == found
    assert Comparison(tuple(candidates[:1]), {}, "4 classes", 3, 99, 0).doubt is None


def test_no_calibration_image_is_seen(coloured, tiny_name, monkeypatch):
    """Images held out for the threshold are in no fold; without any the threshold needs images given apart."""
    images, labels = coloured
    compared = []
    monkeypatch.setattr(KNN, "score_samples", lambda self, rows: compared.append(len(rows)) or np.arange(len(rows)))
    oodkit.Detector.choose(images, labels, backbones=[tiny_name], scorers=["knn"])
    assert sum(compared[1::2]) == 96  # of the held-out groups of all folds: each image but those of the threshold
    monkeypatch.undo()
    detector = oodkit.Detector.choose(images[:90], backbones=[tiny_name], scorers=["knn"], hold_out=None)
    with pytest.raises(InvalidInput, match="chosen by all images"):
        detector.calibrate()
    assert len(detector.calibrate(images[90:], fpr=0.1).calibration.scores) == 30


def test_held_out_images_are_those_of_a_plain_fit(coloured, tiny_name):
    """Choosing among one is fitting it: the same threshold."""
    images, labels = coloured
    chosen = oodkit.Detector.choose(images, labels, backbones=[tiny_name], scorers=["mahalanobis"]).calibrate()
    plain = oodkit.Detector(tiny_name, "mahalanobis").fit(images, labels, hold_out=0.2).calibrate()
    np.testing.assert_array_equal(chosen.calibration.scores, plain.calibration.scores)


def test_backbones_are_compared_too(coloured, tiny_file):
    """Every pair of backbone and scorer is a candidate."""
    images, labels = coloured
    names = [f"module:{tiny_file}:{factory}" for factory in ("tiny", "other_weights")]
    detector = oodkit.Detector.choose(images, labels, backbones=names, scorers=["knn", "pca"])
    found = detector.origin.comparison.candidates
    assert len({(one.backbone, one.scorer) for one in found}) == 4
    assert [one.mean for one in found] == sorted((one.mean for one in found), reverse=True)
    assert (detector.backbone.name, repr(detector.scorer)) == (found[0].backbone, found[0].scorer)


def test_candidates_that_cannot_be_fitted_are_left_out_with_the_reason(coloured, tiny_name):
    """Of images without classes, those that need classes; with clusters asked for they take part."""
    images, _ = coloured
    both = {"backbones": [tiny_name], "scorers": ["knn", "prototypes"]}
    comparison = oodkit.Detector.choose(images, **both).origin.comparison
    assert [one.scorer for one in comparison.candidates] == ["KNN()"]
    (reason,) = comparison.left_out.values()
    assert "it needs class labels" in reason
    detector = oodkit.Detector.choose(images, **both, clusters=4)
    assert len(detector.origin.comparison.candidates) == 2
    assert detector.origin.comparison.groups == "4 k-means clusters"


def test_a_scorer_whose_scores_depend_on_the_batch_is_left_out(coloured, tiny_name):
    """No threshold fits it."""

    class Ranks(Blind):
        inductive = False

    detector = oodkit.Detector.choose(coloured[0], backbones=[tiny_name], scorers=[Ranks(), KNN()])
    (reason,) = detector.origin.comparison.left_out.values()
    assert "depend on the images beside" in reason


def test_mistakes_are_one_line(coloured, tiny_name):
    """Nothing that can be fitted, one fold, too few images."""
    images, _ = coloured
    with pytest.raises(InvalidInput, match=r"nothing to compare: Prototypes.* it needs class labels"):
        oodkit.Detector.choose(images, backbones=[tiny_name], scorers=["prototypes"])
    with pytest.raises(InvalidInput, match="at least 2 folds"):
        oodkit.Detector.choose(images, backbones=[tiny_name], scorers=["knn"], folds=1)
    with pytest.raises(TooFewSamples, match="too few to choose a scorer by"):
        oodkit.Detector.choose(ImageList(images[:3]), backbones=[tiny_name], scorers=["knn"], hold_out=0.4)
