"""Detectors whose fit images are averaged over views."""

import numpy as np
import pytest

import oodkit
from oodkit.errors import UnknownName

VIEWS = ("flip", "mild1")


def test_new_images_are_compared_with_mean_features(photo_folder, many_photos, tiny_name, tmp_path):
    """Cosines of plain features with the means of the fit images', in float64 here; the same after saving."""
    train = f"{photo_folder}:train"
    detector = oodkit.Detector(tiny_name, "knn").fit(train, average_views=VIEWS)
    backbone = detector.backbone

    def rows(images, *views):
        found = sum(np.float64(oodkit.embed(images, backbone, view=view).features) for view in ("identity", *views))
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    expected = (rows(str(many_photos)) @ rows(train, *VIEWS).T).max(axis=1)
    np.testing.assert_allclose(detector.score(many_photos), expected, atol=1e-6)
    assert detector.origin.averaged == VIEWS
    detector.calibrate(many_photos).save(tmp_path / "d")
    again = oodkit.Detector.load(tmp_path / "d", backbone=tiny_name)
    assert again.origin == detector.origin
    np.testing.assert_array_equal(again.score(many_photos), detector.score(many_photos))


def test_images_of_the_threshold_are_judged_as_they_are(many_photos, tiny_name):
    """Whether they are held out before the fit or by calibrate(), which fits again."""
    once = oodkit.Detector(tiny_name, "knn").fit(many_photos, average_views=VIEWS, hold_out=0.2).calibrate(fpr=0.1)
    refitted = oodkit.Detector(tiny_name, "knn").fit(many_photos, average_views=VIEWS).calibrate(fpr=0.1)
    plain = oodkit.Detector(tiny_name, "knn").fit(many_photos, hold_out=0.2).calibrate(fpr=0.1)

    np.testing.assert_array_equal(refitted.calibration.scores, once.calibration.scores)
    assert len(plain.calibration.scores) == len(once.calibration.scores)
    assert np.abs(np.sort(plain.calibration.scores) - np.sort(once.calibration.scores)).max() > 1e-4


def test_candidates_are_compared_with_their_means(many_photos, tiny_name):
    """The comparison fits on means too, and the winner keeps the views."""
    options = {"backbones": [tiny_name], "scorers": ["knn", "pca"], "clusters": 4}
    averaged = oodkit.Detector.choose(many_photos, **options, average_views=["rotate90"])
    plain = oodkit.Detector.choose(many_photos, **options)

    assert averaged.origin.averaged == ("rotate90",)
    assert averaged.origin.comparison.candidates != plain.origin.comparison.candidates


def test_a_view_that_is_none(many_photos, tiny_name):
    """One line with the nearest name, before anything is embedded."""
    with pytest.raises(UnknownName, match="rotate90"):
        oodkit.Detector(tiny_name, "knn").fit(many_photos, average_views=["rotate9"])
