"""Classes that a detector is fitted with: the images' own, or clusters in their place."""

import numpy as np
import pytest

import oodkit
from oodkit.errors import InvalidInput, TooFewSamples


def test_clusters_take_the_place_of_classes(many_photos, tiny_name):
    """A scorer that needs classes is fitted on a flat folder; the card says what the classes are."""
    with pytest.raises(InvalidInput, match="it needs class labels"):
        oodkit.Detector(tiny_name, "prototypes").fit(many_photos)
    detector = oodkit.Detector(tiny_name, "prototypes").fit(many_photos, clusters=4, hold_out=0.2).calibrate()
    assert detector.scorer.n_classes_ == 4
    assert detector.origin.classes == "4 k-means clusters of the features"
    detector.save(many_photos.parent / "d")
    assert "Classes: 4 k-means clusters" in (many_photos.parent / "d" / "card.md").read_text()
    assert oodkit.Detector.load(many_photos.parent / "d", backbone=tiny_name).origin == detector.origin


def test_clusters_are_found_again_without_the_calibration_images(many_photos, tiny_name):
    """calibrate() fits again on four fifths, clusters and all; no held-out image has a part in a prototype."""
    refitted = oodkit.Detector(tiny_name, "prototypes").fit(many_photos, clusters=4).calibrate(fpr=0.1)
    once = oodkit.Detector(tiny_name, "prototypes").fit(many_photos, clusters=4, hold_out=0.2).calibrate(fpr=0.1)
    np.testing.assert_array_equal(refitted.calibration.scores, once.calibration.scores)


def test_clusters_come_before_the_classes_of_folders(photo_folder, tiny_name):
    """They were asked for; and a scorer without classes says that it does not use them."""
    detector = oodkit.Detector(tiny_name, "prototypes").fit(f"{photo_folder}:train", clusters=3)
    assert detector.scorer.n_classes_ == 3
    detector = oodkit.Detector(tiny_name, "prototypes").fit(f"{photo_folder}:train")
    assert detector.origin.classes == "2 of the images"
    detector = oodkit.Detector(tiny_name, "knn").fit(f"{photo_folder}:train", clusters=3)
    assert detector.origin.classes is None
    assert detector.notes == ["clusters are not used: KNN takes no classes"]


def test_mistakes_are_one_line(many_photos, tiny_name):
    """Both kinds of classes, too few clusters, too many."""
    detector = oodkit.Detector(tiny_name, "prototypes")
    with pytest.raises(InvalidInput, match="labels and clusters were both given"):
        detector.fit(many_photos, labels=np.zeros(100, int), clusters=2)
    with pytest.raises(InvalidInput, match="clusters must be 2 or more, got 1"):
        detector.fit(many_photos, clusters=1)
    with pytest.raises(TooFewSamples, match="100 images cannot be 101 clusters"):
        detector.fit(many_photos, clusters=101)
