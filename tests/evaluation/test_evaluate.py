"""One in-set against out-sets."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from oodkit import evaluate
from oodkit.backbones import load_backbone
from oodkit.data import load_dataset
from oodkit.errors import InvalidInput, UnknownName


@pytest.fixture
def noise(tmp_path):
    """A folder of twelve images of coloured noise."""
    folder = tmp_path / "noise"
    folder.mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def backbone(tiny_name):
    return load_backbone(tiny_name, device="cpu")


def test_auroc_is_that_of_an_independent_computation(photo_folder, noise, backbone):
    """Fit on the train split, score test against the out-set: NumPy's nearest cosine and scikit-learn's AUROC."""
    result = evaluate(str(photo_folder), str(noise), backbone=backbone, scorers="knn").results[0]

    def features(images):
        raw = np.concatenate([backbone.embed_images([images.open(i)]).numpy() for i in range(len(images))]).astype(
            float
        )
        return raw / np.linalg.norm(raw, axis=1, keepdims=True)

    fit, test, out = (
        features(load_dataset(name)) for name in (f"{photo_folder}:train", f"{photo_folder}:test", str(noise))
    )
    scores = np.concatenate([(test @ fit.T).max(axis=1), (out @ fit.T).max(axis=1)])
    assert result.auroc == pytest.approx(roc_auc_score([1] * 20 + [0] * 12, scores), abs=1e-9)
    assert (result.n_fit, result.n_in, result.n_out) == (20, 20, 12)
    assert result.auroc_ci[0] <= result.auroc <= result.auroc_ci[1]


def test_every_out_set_and_scorer_has_a_result_in_order(photo_folder, noise, backbone):
    """Out-sets in the order given, the default scorers within."""
    outs = [str(noise), "digits@5-9"]
    evaluation = evaluate(str(photo_folder), outs, backbone=backbone, limit=15)
    assert [(result.out, result.scorer) for result in evaluation.results] == [
        (out, scorer) for out in outs for scorer in ("knn", "mahalanobis", "relative_mahalanobis")
    ]
    assert {result.n_out for result in evaluation.results} == {12, 15}
    assert all(np.isfinite(result.auroc) for result in evaluation.results)


def test_a_set_with_one_split_is_halved_and_says_so(backbone):
    """Half of the in-set is fitted, the other tested, by the seed; the out-set is used whole."""
    evaluation = evaluate("digits@0-4", "digits@5-9", backbone=backbone, scorers="knn", seed=3)
    result = evaluation.results[0]
    assert abs(result.n_fit - result.n_in) <= 5
    assert (result.n_fit + result.n_in, result.n_out) == (901, 896)
    assert any("seed 3" in note for note in evaluation.notes)
    assert any("all of its 896 images" in note for note in evaluation.notes)
    limited = evaluate("digits@0-4", "digits@5-9", backbone=backbone, scorers="knn", limit=50)
    assert any("50, drawn by seed 0, of its 896 images" in note for note in limited.notes)


def test_the_seed_decides_and_the_same_seed_repeats(backbone):
    """Two runs with one seed agree in every digit; another seed draws other halves."""
    first, again, other = (
        evaluate("digits@0-4", "digits@5-9", backbone=backbone, scorers="knn", seed=seed).results[0].auroc
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_fewer_images_than_dimensions_is_said(photo_folder, noise, backbone):
    """Mahalanobis shrinks its covariance, says so, and gives a number."""
    evaluation = evaluate(str(photo_folder), str(noise), backbone=backbone, scorers="mahalanobis")
    assert any("Ledoit-Wolf" in note for note in evaluation.results[0].notes)
    assert 0 <= evaluation.results[0].auroc <= 1


def test_parameters_reach_the_scorer(photo_folder, noise, backbone):
    """params={"knn": {"k": 5}} is in the result; a scorer that was not asked for is refused."""
    run = evaluate(str(photo_folder), str(noise), backbone=backbone, scorers=["knn"], params={"knn": {"k": 5}})
    assert run.results[0].params == {"k": 5}
    with pytest.raises(InvalidInput, match="not among the scorers knn"):
        evaluate("digits@0-4", "digits@5-9", scorers="knn", params={"mahalanobis": {}})
    with pytest.raises(UnknownName, match="knn"):
        evaluate("digits@0-4", "digits@5-9", scorers="knnn")


@pytest.mark.parametrize(
    ("in_", "out"),
    [
        ("digits@0-4", "digits@0-4"),
        ("digits", "digits"),
        ("{folder}", "{folder}"),
        ("{folder}", "{folder}:test"),
        ("{folder}", "{folder}/"),
        ("{folder}/test", "{folder}/train/../test"),
    ],
)
def test_an_in_set_equal_to_the_out_set_is_refused(photo_folder, backbone, in_, out):
    """The same images on both sides are a mistake."""
    in_, out = in_.format(folder=photo_folder), out.format(folder=photo_folder)
    with pytest.raises(InvalidInput, match="same images"):
        evaluate(in_, out, backbone=backbone)


def test_another_split_of_the_in_set_is_allowed_and_remarked(photo_folder, backbone):
    """The train split as out-set holds the images fitted on: allowed, and said."""
    evaluation = evaluate(str(photo_folder), f"{photo_folder}:train", backbone=backbone, scorers="knn")
    assert any("20 images" in note and "are also in" in note for note in evaluation.notes)
    assert evaluation.results[0].auroc < 0.5


def test_a_copy_of_the_in_set_under_another_name_is_found(photo_folder, backbone, tmp_path):
    """Content decides: every out-image is an in-image."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for number in range(5):
        (copy / f"{number}.png").write_bytes((photo_folder / "test" / "a" / f"{number}.png").read_bytes())
    with pytest.raises(InvalidInput, match="every image of the out-set"):
        evaluate(str(photo_folder), str(copy), backbone=backbone)


def test_the_result_names_what_it_came_from(photo_folder, noise, backbone):
    """Versions, hashes, seed, precision and device are in the JSON, and JSON it is."""
    evaluation = evaluate(str(photo_folder), str(noise), backbone=backbone, scorers="knn")
    whole = json.loads(json.dumps(evaluation.to_dict()))
    assert whole["provenance"]["backbone_fingerprint"] == backbone.fingerprint
    assert len(whole["provenance"]["images"]["fit"]) == 64
    assert whole["settings"]["precision"] == "fp32"
    assert {"fit", "score_in", "score_out"} == whole["results"][0]["seconds"].keys()


def test_nothing_to_do_is_refused(photo_folder):
    """No out-set, no scorer, no images."""
    with pytest.raises(InvalidInput, match="no out-set"):
        evaluate(str(photo_folder), [])
    with pytest.raises(InvalidInput, match="no scorer"):
        evaluate(str(photo_folder), "digits", scorers=[])
    with pytest.raises(InvalidInput, match="limit"):
        evaluate(str(photo_folder), "digits", limit=0)


def test_without_labels_the_default_scorers_that_need_none_run(photo_folder, noise, backbone):
    """A flat folder is enough; what was left out is said, and what was asked for by name is refused at once."""
    flat = photo_folder / "test" / "a"
    evaluation = evaluate(str(flat), str(noise), backbone=backbone)
    assert [result.scorer for result in evaluation.results] == ["knn", "mahalanobis"]
    assert any("relative_mahalanobis is left out" in note for note in evaluation.notes)
    with pytest.raises(InvalidInput, match="relative_mahalanobis cannot run here: it needs class labels"):
        evaluate(str(flat), str(noise), backbone=backbone, scorers="relative_mahalanobis")


def test_settings_beside_a_loaded_backbone_are_refused(photo_folder, noise, backbone):
    """They would be ignored."""
    with pytest.raises(InvalidInput, match="give them to load_backbone"):
        evaluate(str(photo_folder), str(noise), backbone=backbone, image_size=64)
