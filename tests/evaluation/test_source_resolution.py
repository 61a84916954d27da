"""Both sets at one source resolution first."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from oodkit import evaluate
from oodkit.backbones import load_backbone
from oodkit.embedding import embed
from oodkit.errors import InvalidInput
from oodkit.evaluation.source_resolution import resolution_notes


@pytest.fixture
def large(tmp_path, photograph):
    """Eight photographs of 48 x 60 pixels."""
    folder = tmp_path / "large"
    folder.mkdir()
    for number in range(8):
        photograph(900 + number, 60, 48).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def backbone(tiny_name):
    return load_backbone(tiny_name, device="cpu")


def test_features_are_those_of_the_shrunk_images(photo_folder, large, backbone, tmp_path):
    """The same scores as of a folder whose images were shrunk beforehand, up to the resizer's rounding; said so."""
    found = evaluate(str(photo_folder), str(large), backbone=backbone, scorers="knn", source_resolution=8)
    shrunk = tmp_path / "shrunk"
    shrunk.mkdir()
    for path in large.iterdir():
        Image.open(path).resize((10, 8), Image.Resampling.BICUBIC).save(shrunk / path.name)
    by_hand = evaluate(str(photo_folder), str(shrunk), backbone=backbone, scorers="knn", source_resolution=8)

    np.testing.assert_allclose(found.scores["knn"][str(large)], by_hand.scores["knn"][str(shrunk)], atol=2e-3)
    assert found.settings["source_resolution"] == 8
    assert any("shorter side of 8 px" in note for note in found.notes)
    plain = evaluate(str(photo_folder), str(large), backbone=backbone, scorers="knn")
    assert plain.settings["source_resolution"] is None
    assert np.abs(plain.scores["knn"][str(large)] - found.scores["knn"][str(large)]).max() > 2e-3


def test_each_resolution_is_stored_under_its_own_key(large, backbone):
    """What was embedded at one resolution is not taken for another's, and is not embedded again."""
    first = embed(str(large), backbone, view="resolution16")
    second = embed(str(large), backbone, view="resolution12")
    assert (first.computed, second.computed) == (8, 8)
    assert embed(str(large), backbone, view="resolution16").computed == 0
    assert not np.array_equal(first.features, second.features)


def test_a_perturbed_image_is_the_shrunk_one(photo_folder, large, backbone):
    """A step of 0 behind the view changes no score."""
    arguments = {"backbone": backbone, "scorers": "knn", "source_resolution": 16}
    still = evaluate(str(photo_folder), str(large), **arguments)
    moved = evaluate(str(photo_folder), str(large), **arguments, perturb=0.0)
    np.testing.assert_allclose(moved.scores["knn"][str(large)], still.scores["knn"][str(large)], atol=1e-6)


def test_images_that_are_too_small_are_said(photo_folder, large, backbone):
    """The photographs of the in-set have 20 pixels: at 24 they stay as they are."""
    found = evaluate(str(photo_folder), str(large), backbone=backbone, scorers="knn", source_resolution=24)
    assert [note for note in found.notes if "smaller than 24 px" in note and "20 of 20" in note]
    with pytest.raises(InvalidInput, match="source resolution"):
        evaluate(str(photo_folder), str(large), backbone=backbone, scorers="knn", source_resolution=-1)


def test_a_sample_of_a_large_set_is_looked_at():
    """At most 200 images, evenly spread over the set."""

    looked = []

    class Set:
        def __len__(self):
            return 1999

        def read(self, index):
            looked.append(index)
            stream = BytesIO()
            Image.new("RGB", (40, 10)).save(stream, "PNG")
            return stream.getvalue()

    lines = resolution_notes(32, {"big": Set()})
    assert len(looked) == 200
    assert looked[-1] == 1990
    assert "200 of 200 images of big" in lines[1]
    assert len(resolution_notes(10, {"big": Set()})) == 1
