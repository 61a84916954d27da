"""Features averaged over views."""

import numpy as np
import pytest

from oodkit import embed, evaluate
from oodkit.backbones import load_backbone
from oodkit.errors import InvalidInput, UnknownName
from oodkit.evaluation.averaging import mean_of_views
from oodkit.scorers import SemSAD


@pytest.fixture
def backbone(tiny_name):
    return load_backbone(tiny_name, device="cpu")


@pytest.fixture
def mirrored(tmp_path, photograph):
    """Eight photographs, and the same ones mirrored."""
    folders = tmp_path / "plain", tmp_path / "mirrored"
    for folder in folders:
        folder.mkdir()
    for number in range(8):
        image = photograph(900 + number)
        image.save(folders[0] / f"{number}.png")
        image.transpose(0).save(folders[1] / f"{number}.png")  # left to right
    return [str(folder) for folder in folders]


def test_scores_are_those_of_mean_features(photo_folder, mirrored, backbone):
    """Cosines of mean features, computed in float64 here, and said in notes and settings."""
    names = ("flip", "mild1")
    found = evaluate(str(photo_folder), mirrored[0], backbone=backbone, scorers="knn", average_views=names)

    def unit(images):
        rows = sum(np.float64(embed(images, backbone, view=view).features) for view in ("identity", *names))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    plain = evaluate(str(photo_folder), mirrored[0], backbone=backbone, scorers="knn")
    nearest = (unit(mirrored[0]) @ unit(f"{photo_folder}:train").T).max(axis=1)
    got = found.scores["knn"][mirrored[0]]

    np.testing.assert_allclose(got, nearest, atol=1e-6)
    assert np.abs(got - plain.scores["knn"][mirrored[0]]).max() > 1e-4
    assert found.settings["average_views"] == ["flip", "mild1"]
    assert plain.settings["average_views"] == []
    assert any("mean of its features and of its views flip, mild1" in note for note in found.notes)


def test_fit_images_alone_are_averaged(photo_folder, mirrored, backbone):
    """Cosines of plain features with mean ones; views of fit images alone are embedded; a step of ODIN is allowed."""
    arguments = {"backbone": backbone, "scorers": "knn", "average_views": ["flip"], "average_fit_only": True}
    found = evaluate(str(photo_folder), mirrored[0], **arguments)
    fit = [np.float64(embed(f"{photo_folder}:train", backbone, view=view).features) for view in ("identity", "flip")]
    rows = np.float64(embed(mirrored[0], backbone).features)
    unit, mean = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (rows, sum(fit)))
    sample = found.results[0]

    np.testing.assert_allclose(found.scores["knn"][mirrored[0]], (unit @ mean.T).max(axis=1), atol=1e-6)
    assert found.settings["images_embedded"] == 2 * sample.n_fit + sample.n_in + sample.n_out
    assert found.settings["average_fit_only"] is True
    assert any(note.startswith("each fit image stands for the mean") for note in found.notes)
    moved = evaluate(str(photo_folder), mirrored[0], **arguments, perturb=0.01)
    assert np.abs(moved.scores["knn"][mirrored[0]] - found.scores["knn"][mirrored[0]]).max() > 1e-5


def test_a_mirrored_set_is_the_same_set(photo_folder, mirrored, backbone):
    """Averaged with its mirror image, an image scores as its mirror image does; by itself it does not."""

    def scores(**options):
        found = evaluate(str(photo_folder), mirrored, backbone=backbone, scorers="knn", **options)
        return [found.scores["knn"][name] for name in mirrored]

    one, other = scores(average_views=["flip"])
    np.testing.assert_allclose(one, other, atol=1e-6)
    one, other = scores()
    assert np.abs(one - other).max() > 1e-4


def test_views_are_embedded_once(photo_folder, mirrored, backbone):
    """Another average takes what is stored."""
    arguments = {"backbone": backbone, "scorers": "knn"}
    first = evaluate(str(photo_folder), mirrored[0], average_views=["flip"], **arguments)
    again = evaluate(str(photo_folder), mirrored[0], average_views=["flip"], **arguments)
    more = evaluate(str(photo_folder), mirrored[0], average_views=["rotate90", "flip"], **arguments)
    images = sum(getattr(first.results[0], name) for name in ("n_fit", "n_in", "n_out"))

    assert first.settings["images_embedded"] == 2 * images
    assert again.settings["images_embedded"] == 0
    assert more.settings["images_embedded"] == images


@pytest.mark.parametrize("fit_only", [False, True])
def test_a_scorer_that_is_trained_on_views_gets_mean_rows_and_plain_views(photo_folder, mirrored, backbone, fit_only):
    """The scores of one that is fitted here on means and on views as they are."""
    settings = {"epochs": 1, "k": 1, "neighbours": 1}
    arguments = {"backbone": backbone, "scorers": "semsad", "params": {"semsad": settings}, "average_views": "flip"}
    found = evaluate(str(photo_folder), mirrored[0], **arguments, average_fit_only=fit_only)

    def rows(images, *views):
        parts = [np.asarray(embed(images, backbone, view=view).features) for view in views]
        return np.float32(sum(parts) / len(parts))

    train, seen = f"{photo_folder}:train", ("identity",) if fit_only else ("identity", "flip")
    views = np.stack([rows(train, name) for name in ("mild1", "strong1")])
    scorer = SemSAD(**settings).fit(rows(train, "identity", "flip"), views=views)
    expected = scorer.score_samples(rows(mirrored[0], *seen))
    np.testing.assert_allclose(found.scores["semsad"][mirrored[0]], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("names", "options", "error", "message"),
    [
        (["flop"], {}, UnknownName, "flip"),
        (["identity"], {}, InvalidInput, "leave identity out"),
        (["flip", "flip"], {}, InvalidInput, "the view flip is named twice"),
        ([], {"average_fit_only": True}, InvalidInput, "no views are named; add --average-views"),
        (["flip"], {"perturb": 0.001}, InvalidInput, "either perturbed or averaged"),
    ],
)
def test_what_cannot_be_averaged(photo_folder, mirrored, backbone, names, options, error, message):
    """One line each."""
    with pytest.raises(error, match=message):
        evaluate(str(photo_folder), mirrored[0], backbone=backbone, scorers="knn", average_views=names, **options)


def test_the_mean_is_on_the_scale_of_features(photo_folder, backbone):
    """Also for heads, whose logits grow with lengths; one part alone is itself, and other images are refused."""
    train = f"{photo_folder}:train"
    parts = [embed(train, backbone, view=view) for view in ("identity", "flip", "rotate90")]
    found = mean_of_views(parts)

    np.testing.assert_allclose(
        found.features, np.mean([np.float64(part.features) for part in parts], axis=0), atol=1e-6
    )
    assert (found.ids, found.computed) == (parts[0].ids, sum(part.computed for part in parts))
    assert mean_of_views(parts[:1]) is parts[0]
    with pytest.raises(InvalidInput, match="run again"):
        mean_of_views([parts[0], parts[1][:5]])
