"""The detector over images."""

import numpy as np
import pytest
from PIL import Image

import oodkit
from oodkit.errors import DataNotFound, InvalidInput, UnknownName, UnreadableImage
from oodkit.scorers import KNN


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)) for _ in range(4)]


def test_photographs_score_above_noise(photo_folder, tiny_name, photograph, noise):
    """Fitted on photographs, it finds other photographs more in-distribution than noise."""
    detector = oodkit.Detector(tiny_name, "knn").fit(str(photo_folder / "train"))
    photos = detector.score([photograph(500 + i) for i in range(4)])
    assert photos.dtype == np.float64
    assert photos.min() > detector.score(noise).max()


def test_paths_pillow_images_and_sets_give_the_same_scores(photo_folder, tiny_name):
    """However the images are handed over."""
    detector = oodkit.Detector(tiny_name, KNN(k=2)).fit(f"{photo_folder}:train")
    images = oodkit.load_dataset(f"{photo_folder}:test")
    expected = detector.score(images)
    paths = [images.path(i) for i in range(len(images))]
    np.testing.assert_array_equal(detector.score(paths), expected)
    np.testing.assert_array_equal(detector.score([Image.open(path) for path in paths]), expected)
    np.testing.assert_allclose(detector.score(paths[0]), expected[:1], atol=1e-6)
    np.testing.assert_allclose(detector.score(Image.open(paths[3])), expected[3:4], atol=1e-6)


def test_labels_reach_scorers_that_use_them(photo_folder, tiny_name):
    """Classes come from the image set, or are given beside a list of paths."""
    detector = oodkit.Detector(tiny_name, "mahalanobis", normalize=True).fit(f"{photo_folder}:train")
    assert detector.scorer.n_classes_ == 2
    images = oodkit.load_dataset(f"{photo_folder}:train")
    paths = [images.path(i) for i in range(len(images))]
    assert oodkit.Detector(tiny_name, "mahalanobis").fit(paths, labels=images.labels).scorer.n_classes_ == 2


def test_mistakes_are_one_line(tiny_name, tmp_path, photo_folder):
    """Unknown scorer, no images, not an image, a file that is gone."""
    with pytest.raises(UnknownName, match="knn"):
        oodkit.Detector(tiny_name, "knnn")
    detector = oodkit.Detector(tiny_name).fit(str(photo_folder / "train"))
    with pytest.raises(DataNotFound, match="no images were given"):
        detector.score([])
    with pytest.raises(InvalidInput, match="item 0 must be a path or a Pillow image, got int"):
        detector.score([3])
    with pytest.raises(UnreadableImage, match=r"gone\.png"):
        detector.score([tmp_path / "gone.png"])
    with pytest.raises(InvalidInput, match="fit"):
        oodkit.Detector(tiny_name).score(str(photo_folder / "train"))


def test_a_name_means_the_train_split_to_fit_and_the_test_split_to_score(photo_folder, tiny_name):
    """Fitting on a folder with splits does not see what is scored."""
    detector = oodkit.Detector(tiny_name).fit(str(photo_folder))
    explicit = oodkit.Detector(tiny_name).fit(f"{photo_folder}:train")
    expected = explicit.score(f"{photo_folder}:test")
    np.testing.assert_array_equal(detector.score(str(photo_folder)), expected)
    assert expected.max() < 0.99999


def test_an_opened_image_is_turned_upright_like_its_file(photo_folder, tiny_name, tmp_path, photograph):
    """EXIF orientation counts for Pillow images too; a truncated one is an unreadable image."""
    image, exif = photograph(3, 200, 150), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    detector = oodkit.Detector(tiny_name).fit(str(photo_folder))
    by_path = detector.score(tmp_path / "turned.jpg")
    np.testing.assert_allclose(detector.score(Image.open(tmp_path / "turned.jpg")), by_path, atol=1e-6)
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "turned.jpg").read_bytes()[:-2000])
    with pytest.raises(UnreadableImage, match="image 0"):
        detector.score([Image.open(tmp_path / "cut.jpg")])
