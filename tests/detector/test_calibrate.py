"""Verdicts: calibrating, p-values, predictions, neighbours."""

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.errors import InvalidInput, TooFewSamples
from oodkit.scorers import KNN
from oodkit.scorers.base import NotFitted


def paths_of(folder):
    """Image files of a folder, by name."""
    return sorted(folder.glob("*.png"))


def test_a_fifth_is_held_out_when_no_images_are_given(many_photos, tiny_name):
    """The scorer is fitted again on the other four fifths; none of the held-out images is in its bank."""
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(fpr=0.1)
    assert len(detector.scorer.bank_) == 80
    assert len(detector.calibration.scores) == 20
    assert detector.calibration.scores.max() < 1 - 1e-6  # an image in the bank scores 1
    scores = detector.score(many_photos)
    bank = np.sort(scores)[-80:]
    np.testing.assert_allclose(bank, 1, atol=1e-6)
    np.testing.assert_array_equal(np.sort(scores)[:20], detector.calibration.scores)


def test_holding_out_at_fit_needs_no_second_fit(many_photos, tiny_name, monkeypatch):
    """fit(hold_out=...) fits once, and calibrating again with another rate fits no more."""
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos, hold_out=0.4, seed=3)
    monkeypatch.setattr(KNN, "fit", lambda *_, **__: pytest.fail("fitted again"))
    assert len(detector.calibrate(fpr=0.05).calibration.scores) == 40
    loose = detector.calibration.threshold
    assert detector.calibrate(fpr=0.5).calibration.threshold > loose


def test_another_seed_holds_out_others(many_photos, tiny_name):
    """And the same seed the same."""
    held = [
        oodkit.Detector(tiny_name).fit(many_photos).calibrate(fpr=0.1, seed=s).calibration.scores for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(held[0], held[1])
    assert not np.array_equal(held[0], held[2])


def test_verdicts_p_values_and_scores_agree(many_photos, tiny_name, photograph):
    """-1 where the score is below the threshold, which is where the p-value is at most the rate."""
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(fpr=0.2)
    images = [photograph(5000 + i) for i in range(40)]
    verdicts, scores, p = detector.predict(images), detector.score(images), detector.p_values(images)
    assert set(verdicts) <= {1, -1}
    np.testing.assert_array_equal(verdicts == -1, scores < detector.calibration.threshold)
    np.testing.assert_array_equal(verdicts == -1, p <= 0.2)


def test_judging_files_gives_what_predict_gives(many_photos, tiny_name):
    """One verdict per file in order, without the store."""
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(fpr=0.2)
    files = paths_of(many_photos)
    verdicts = list(detector.judge(iter(files), neighbours=2))
    assert [verdict.path for verdict in verdicts] == [str(path) for path in files]
    np.testing.assert_allclose([verdict.score for verdict in verdicts], detector.score(files), atol=1e-6)
    assert [verdict.neighbours for verdict in verdicts[:5]] == detector.explain(files[:5], k=2)


def test_judging_does_not_ask_for_more_files_than_it_works_on(many_photos, tiny_name, monkeypatch):
    """Files are taken chunk by chunk, so an endless stream gives verdicts, and nothing enters the store."""
    monkeypatch.setattr("oodkit.detector.judging.FILES_AT_ONCE", 8)
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(fpr=0.2)
    monkeypatch.setattr("oodkit.embedding.store.Store.add", lambda *_: pytest.fail("written to the store"))
    taken = []

    def endless():
        while True:
            for path in paths_of(many_photos):
                taken.append(path)
                yield path

    verdicts = detector.judge(endless(), neighbours=0)
    for _ in range(20):
        next(verdicts)
    verdicts.close()
    assert len(taken) == 24


def test_neighbours_are_the_nearest_fit_images(many_photos, tiny_name):
    """An image that was fitted on is its own nearest neighbour; cosines fall; k is cut to what there is."""
    detector = oodkit.Detector(tiny_name, "mahalanobis").fit(many_photos)
    files = paths_of(many_photos)[:4]
    for path, found in zip(files, detector.explain(files, k=1000), strict=True):
        assert len(found) == 100
        assert found[0].cosine == pytest.approx(1, abs=1e-3)
        assert path.name in {near.id for near in found if near.cosine > found[0].cosine - 1e-3}
        assert [near.cosine for near in found] == sorted((near.cosine for near in found), reverse=True)
    with pytest.raises(InvalidInput, match="at least 1"):
        detector.explain(files, k=0)


def test_copies_of_an_image_are_not_torn_apart(many_photos, tiny_name):
    """A copy of a fit image never calibrates: its score would be that of an image in the bank."""
    for path in paths_of(many_photos)[:50]:
        (many_photos / f"copy_{path.name}").write_bytes(path.read_bytes())
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(fpr=0.1)
    assert len(detector.calibration.scores) == 20
    assert detector.calibration.scores.max() < 1 - 1e-6
    assert any("50 of 150 images are copies" in note for note in detector.notes)


def test_calibration_images_that_were_fitted_on_are_left_out(many_photos, tiny_name, photograph):
    """They would make the threshold too high; a note says so."""
    new = many_photos.parent / "new"
    new.mkdir()
    for number in range(30):
        photograph(7000 + number).save(new / f"{number}.png")
    files = [*paths_of(many_photos)[:7], *paths_of(new)]
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(files)
    assert len(detector.calibration.scores) == 30
    assert detector.notes == ["7 of 37 calibration images were fitted on and are left out"]
    detector.save(many_photos.parent / "d")
    loaded = oodkit.Detector.load(many_photos.parent / "d", backbone=tiny_name).calibrate(files)
    assert len(loaded.calibration.scores) == 30


def test_unreadable_images_may_be_left_out_of_the_fit(many_photos, tiny_name):
    """Named in a note; the split is drawn from the others."""
    (many_photos / "000.png").write_bytes(b"broken")
    detector = oodkit.Detector(tiny_name).fit(many_photos, hold_out=0.5, skip_unreadable=True)
    assert detector.notes == ["1 images could not be read and are left out"]
    assert len(detector.calibrate(fpr=0.1).calibration.scores) == 49


def test_a_new_fit_forgets_the_threshold(many_photos, tiny_name):
    """It belonged to other scores."""
    detector = oodkit.Detector(tiny_name).fit(many_photos).calibrate(fpr=0.1)
    assert detector.fit(many_photos).calibration is None
    with pytest.raises(NotFitted, match="call calibrate"):
        detector.predict(many_photos)


def test_the_guarantee_in_words(many_photos, tiny_name):
    """Its rate, the interval of this calibration and its n."""
    detector = oodkit.Detector(tiny_name).fit(many_photos).calibrate(fpr=0.1)
    assert detector.calibration.guarantee == (
        "at most 10 % of images like these are flagged, in expectation over calibration sets; "
        "this one: 9.5 %, 95 % interval 1.2-24.9, n = 20"
    )


def test_mistakes_are_one_line(many_photos, tiny_name):
    """Too few images, before anything is fitted again; no fit, no calibration, no share."""
    detector = oodkit.Detector(tiny_name).fit(many_photos)
    before = detector.scorer.bank_
    with pytest.raises(TooFewSamples, match=r"at least 99 calibration images, and 20 % of 100 images are 20; .* 495"):
        detector.calibrate(fpr=0.01)
    assert detector.scorer.bank_ is before
    with pytest.raises(TooFewSamples, match="at least 19 calibration images, got 3"):
        oodkit.Detector(tiny_name).fit(paths_of(many_photos)[:50]).calibrate(paths_of(many_photos)[50:53])
    with pytest.raises(NotFitted, match="call fit"):
        oodkit.Detector(tiny_name).calibrate()
    with pytest.raises(NotFitted, match="call calibrate"):
        detector.judge(paths_of(many_photos))
    with pytest.raises(InvalidInput, match="share to hold out"):
        detector.fit(many_photos, hold_out=1.5)
    with pytest.raises(TooFewSamples, match="cannot be split"):
        detector.fit(paths_of(many_photos)[:3], hold_out=0.1)


def test_an_alarm_over_a_batch(many_photos, tiny_name, photograph):
    """Noise raises it, photographs like those of the fit do not; its numbers are those of the scores."""
    detector = oodkit.Detector(tiny_name, "knn").fit(many_photos).calibrate(fpr=0.1)
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)) for _ in range(20)]
    found = detector.alarm(noise, rate=0.05)
    assert found.raised
    assert (found.images, found.flagged) == (20, (detector.predict(noise) == -1).sum())
    assert not detector.alarm([photograph(5000 + i) for i in range(40)], rate=0.05).raised
    with pytest.raises(InvalidInput, match="rate of false alarms"):
        detector.alarm(noise, rate=5)
