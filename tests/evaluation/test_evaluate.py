"""One in-set against out-sets."""

import json
import sys

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from oodkit import evaluate
from oodkit.backbones import load_backbone
from oodkit.data import load_dataset
from oodkit.data.words import Words
from oodkit.errors import InvalidInput, UnknownName
from oodkit.registry import Entry
from oodkit.scorers import MSP, scorers
from oodkit.scorers.entries import ENTRIES
from oodkit.scorers.families import ScorerRegistry

MODULE = sys.modules["oodkit.evaluation.evaluate"]  # whose name in its package is the function's


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
    assert run.results[0].params["k"] == 5
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


def test_two_named_splits_are_two_sets(photo_folder, backbone):
    """An in-set of one named split is halved; the other split is another set."""
    evaluation = evaluate(f"{photo_folder}:train", f"{photo_folder}:test", backbone=backbone, scorers="knn")
    assert evaluation.results[0].n_out == 20
    with pytest.raises(InvalidInput, match="same images"):
        evaluate(f"{photo_folder}:train", f"{photo_folder}:train", backbone=backbone)


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


@pytest.fixture
def never_embeds(monkeypatch):
    """Embedding an image fails the test."""
    monkeypatch.setattr("oodkit.evaluation.session.embed", lambda *_, **__: pytest.fail("an image was embedded"))


@pytest.fixture
def registered(monkeypatch):
    """`registered(**entries)`: a registry of scorers with these entries alone."""

    def replace(**entries):
        registry = ScorerRegistry("scorer", entries, group="oodkit.test.scorers", families={})
        monkeypatch.setattr(MODULE, "scorer_registry", registry)
        monkeypatch.setattr("oodkit.scorers.scorers", registry)

    return replace


def test_scores_of_logits_are_those_of_the_classifier(painted, network):
    """MSP over the backbone's own head, as NumPy has it; the head is on record."""
    backbone = network("two_classes")
    run = evaluate(str(painted / "in"), str(painted / "out"), backbone=backbone, scorers="msp")
    images = load_dataset(str(painted / "out"))
    features = backbone.embed_images([images.open(i) for i in range(len(images))])
    logits = backbone.classifier(features).numpy().astype(float)
    expected = np.log(np.exp(logits).max(axis=1) / np.exp(logits).sum(axis=1))
    np.testing.assert_allclose(run.scores["msp"][str(painted / "out")], expected, atol=1e-6)
    assert run.settings["head"] == "backbone"
    assert any(note.startswith("head backbone: 2 classes, test accuracy") for note in run.notes)


def test_all_runs_what_backbone_and_data_allow_and_says_what_it_leaves_out(painted, network):
    """Every registered scorer has results or a line with the reason; names of OOD classes are never used."""
    evaluation = evaluate(str(painted / "in"), str(painted / "out"), backbone=network("two_classes"), scorers="all")
    ran = {result.scorer for result in evaluation.results}
    left_out = {note.partition(" is left out: ")[0] for note in evaluation.notes if " is left out: " in note}
    assert ran.isdisjoint(left_out)
    assert ran | left_out == set(scorers)
    assert {"mcm", "neglabel", "caption", "in_out_names"} <= left_out
    assert {"knn", "msp", "vim", "react", "she", "temp_scaling", "ensemble"} <= ran
    texts = evaluate(
        str(painted / "in"),
        str(painted / "out"),
        backbone=network("clip"),
        scorers="all",
        captions=["something red", "a green thing"],
        negatives=Words(("blue", "grey", "white", "black"), ("", "", "", "")),
        out_names=["blue", "grey"],
    )
    assert {"mcm", "neglabel", "caption"} <= {result.scorer for result in texts.results}
    assert "in_out_names is left out: it uses names of the OOD classes; name it to run it" in texts.notes
    assert "names of OOD classes will not be used: no scorer that runs takes it" in texts.notes


def test_texts_tell_what_they_name(painted, network):
    """With a text tower that knows colours, red and green are in, blue and grey are out."""
    sets = (str(painted / "in"), str(painted / "out"))
    names = ["mcm", "neglabel", "caption", "in_out_names"]
    evaluation = evaluate(
        *sets,
        backbone=network("clip"),
        scorers=names,
        params={"mcm": {"temperature": 0.05}},
        captions=["something red", "something green"],
        negatives=Words(("blue", "red", "grey"), ("", "", "")),
    )
    found = {result.scorer: result.auroc for result in evaluation.results}
    assert found.keys() == set(names)
    assert min(found.values()) > 0.75


@pytest.mark.parametrize(
    ("factory", "extras", "scorer", "message"),
    [
        ("plain", {}, "mcm", "scorer mcm cannot run here: it needs a backbone with an image-text space"),
        ("clip", {}, "caption", "give --captions FILE"),
        ("plain", {"head": "backbone"}, "msp", "has no classifier of its own"),
        ("clip", {"head": "zero_shot", "prompts": ["a photo"]}, "msp", r"has no \{\} where"),
        ("clip", {"class_names": ["a"]}, "mcm", "1 class names were given, but .* has 2 classes"),
        ("plain", {"head": "prob"}, "msp", "no head named 'prob'; did you mean 'probe'"),
        ("clip", {"perturb": 0.1}, "sklearn:LocalOutlierFactor", "has no gradients to perturb images by"),
        ("clip", {"perturb": -0.1}, "knn", "must be a number of at least 0, such as 0.0014, got -0.1"),
    ],
)
@pytest.mark.usefixtures("never_embeds")
def test_a_scorer_that_cannot_run_is_refused_before_anything_is_embedded(
    painted, network, factory, extras, scorer, message
):
    """Where it was asked for by name."""
    with pytest.raises((InvalidInput, UnknownName), match=message):
        evaluate(str(painted / "in"), str(painted / "out"), backbone=network(factory), scorers=scorer, **extras)


@pytest.mark.usefixtures("never_embeds")
def test_no_scorer_left_is_said_before_anything_is_embedded(painted, network, registered):
    """With all the reasons."""
    registered(mcm=ENTRIES["mcm"], msp=ENTRIES["msp"])
    with pytest.raises(InvalidInput, match=r"no scorer is left to run: mcm is left out: .*; msp is left out: "):
        evaluate(str(painted / "flat"), str(painted / "out"), backbone=network("plain"), scorers="all")


def test_a_fit_that_fails_is_a_note_if_all_were_asked_for(painted, network, registered, monkeypatch):
    """The rest goes on; asked for by name, it is an error. So is a scorer whose package is not installed."""
    sets = (str(painted / "in"), str(painted / "out"))

    def fail(self, train):
        raise InvalidInput("it rains")

    monkeypatch.setattr(MSP, "_fit", fail)
    lost = Entry("no_such_package:Thing", "not installed")
    registered(knn=ENTRIES["knn"], msp=ENTRIES["msp"], lost=lost)
    evaluation = evaluate(*sets, backbone=network("two_classes"), scorers="all")
    assert [result.scorer for result in evaluation.results] == ["knn"]
    assert "msp is left out: it rains" in evaluation.notes
    assert any(note.startswith("lost is left out: scorer 'lost' needs the package") for note in evaluation.notes)
    with pytest.raises(InvalidInput, match="it rains"):
        evaluate(*sets, backbone=network("two_classes"), scorers=["knn", "msp"])
    registered(msp=ENTRIES["msp"])
    with pytest.raises(InvalidInput, match=r"no scorer is left to run: .*it rains"):
        evaluate(*sets, backbone=network("two_classes"), scorers="all")


def test_perturbed_images_score_higher(painted, network):
    """Each in its own direction; the fit is as ever, nothing is stored, and settings and notes say so."""
    sets, backbone = (str(painted / "in"), str(painted / "out")), network("two_classes")
    plain = evaluate(*sets, backbone=backbone, scorers=["odin", "knn"])
    nothing = evaluate(*sets, backbone=backbone, scorers=["odin", "knn"], perturb=0)
    moved = evaluate(*sets, backbone=backbone, scorers=["odin", "knn"], perturb=0.01)
    for scorer in ("odin", "knn"):
        for name in sets:
            np.testing.assert_allclose(nothing.scores[scorer][name], plain.scores[scorer][name], atol=1e-5)
            assert np.all(moved.scores[scorer][name] > plain.scores[scorer][name] - 1e-6)
            assert np.mean(moved.scores[scorer][name] > plain.scores[scorer][name]) > 0.9
    assert (plain.settings["perturb"], moved.settings["perturb"]) == (None, 0.01)
    assert any("after a step of 0.01 in pixels of [0, 1]" in note for note in moved.notes)
    assert moved.settings["images_embedded"] == 0


def test_perturbing_leaves_out_what_has_no_gradients(painted, network, registered):
    """Under all."""
    registered(**{name: ENTRIES[name] for name in ("knn", "mahalanobis", "ensemble")})
    sets = (str(painted / "in"), str(painted / "out"))
    evaluation = evaluate(*sets, backbone=network("plain"), scorers="all", perturb=0.01)
    assert [result.scorer for result in evaluation.results] == ["knn", "mahalanobis"]
    assert "ensemble is left out: it has no gradients to perturb images by" in evaluation.notes


def test_perturbing_scores_the_images_that_were_read(photo_folder, painted, network):
    """Unreadable ones are left out of both."""
    (photo_folder / "test" / "a" / "3.png").write_bytes(b"\x89PNG broken")
    run = evaluate(
        str(photo_folder),
        str(painted / "out"),
        backbone=network("plain"),
        scorers="knn",
        perturb=0.0,
        limit=15,
        skip_unreadable=True,
    )
    plain = evaluate(
        str(photo_folder),
        str(painted / "out"),
        backbone=network("plain"),
        scorers="knn",
        limit=15,
        skip_unreadable=True,
    )
    np.testing.assert_allclose(run.scores["knn"][str(photo_folder)], plain.scores["knn"][str(photo_folder)], atol=1e-6)


def test_a_compiled_backbone_is_not_perturbed(painted, network):
    """It has no gradients."""
    backbone = network("plain")
    backbone.compile = True
    with pytest.raises(InvalidInput, match="compiled backbone has no gradients"):
        evaluate(str(painted / "in"), str(painted / "out"), backbone=backbone, scorers="knn", perturb=0.01)
