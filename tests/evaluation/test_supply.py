"""What scorers are given besides features, from a backbone, an in-set and what the user gives."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.data import load_dataset, load_fit_and_test
from oodkit.data.words import Words
from oodkit.embedding import embed
from oodkit.errors import InvalidInput, UnknownName
from oodkit.evaluation.extras import Extras
from oodkit.evaluation.rows import BLOCK_ROWS, Rows
from oodkit.evaluation.supply import Supply
from oodkit.heads import SINGLE_PROMPT, LinearHead, heads
from oodkit.registry import Entry, Registry
from oodkit.scorers import KNN, MSP, Caption, Ensemble, InOutNames, NegLabel, OpenMax, ReAct, Residual, create
from oodkit.scorers.base import Need, Scorer

RED_GREEN = ["green", "red"]


class Shifted(Scorer):
    """Keeps the views that it is given."""

    needs = frozenset({Need.VIEWS})
    optional = frozenset({Need.AUX})

    def __init__(self, views=("rotate90", "mild1")):
        self.views = views

    def view_names(self):
        return self.views

    def aux_view_names(self):
        return ("flip",)

    def _fit(self, train):
        self.views_, self.aux_ = train.views, train.aux

    def _score(self, x):
        return x[:, 0]


@pytest.fixture
def supply(painted, network):
    """`supply(factory, set, **extras)`, with the train images embedded."""

    def make(factory: str, name: str = "in", **extras) -> Supply:
        images = load_fit_and_test(str(painted / name)).fit
        made = Supply(network(factory), name, images, Extras(**extras), None)
        made.fit = embed(images, made.backbone)
        return made

    return make


@pytest.fixture
def tested(painted):
    """The test images of the in-set, embedded."""
    return lambda made: embed(load_dataset(f"{painted / 'in'}:test"), made.backbone)


@pytest.fixture
def outs(painted):
    """`outs("out", "flat_out")`: out-sets by name."""
    return lambda *names: {name: load_dataset(str(painted / name)) for name in names}


# The choice of a head


@pytest.mark.parametrize(
    ("factory", "name", "extras", "head"),
    [
        ("two_classes", "in", {}, "backbone"),
        ("five_classes", "in", {}, "probe"),
        ("plain", "in", {}, "probe"),
        ("clip", "in", {}, "probe"),
        ("clip", "flat", {"class_names": RED_GREEN}, "zero_shot"),
        ("two_classes", "flat", {"class_names": RED_GREEN}, "backbone"),
        ("five_classes", "flat", {}, "backbone"),
        ("five_classes", "one", {}, "backbone"),
        ("five_classes", "in", {"head": "backbone"}, "backbone"),
        ("two_classes", "in", {"head": "probe"}, "probe"),
        ("clip", "in", {"head": "pseudo_label_probe"}, "pseudo_label_probe"),
    ],
)
def test_the_head_is_the_first_that_fits_or_the_one_asked_for(supply, factory, name, extras, head):
    """The classifier if it has the set's classes, a probe on labels, the zero-shot head, any classifier."""
    made = supply(factory, name, **extras)
    assert made.lacks(MSP(), {}) is None
    assert made.head_made is None
    assert made.rows(MSP(), made.fit).shape == (len(made.fit), len(made.head.weight))
    assert made.head_made == head
    assert made.settings()["head"] == head


def test_the_backbones_head_is_its_classifier(supply):
    """Logits are those of the classifier over the features."""
    made = supply("five_classes", head="backbone")
    expected = made.backbone.classifier(torch.from_numpy(np.array(made.fit.features))).numpy()
    np.testing.assert_allclose(made.rows(MSP(), made.fit), expected, rtol=1e-6)


def test_a_head_of_other_classes_serves_scorers_without_labels_only(supply, tested):
    """Labels of the set say nothing about the logits of other classes; the note says whose classes they are."""
    made = supply("five_classes", head="backbone")
    assert "head over the classes of in; add --head probe" in made.lacks(OpenMax(), {})
    assert "head over the classes of in; add --head probe" in made.lacks(create("she"), {})
    assert made.lacks(ReAct(), {}) is None
    made.rows(MSP(), made.fit)
    assert made.notes(tested(made)) == ["head backbone: 5 classes, not those of in"]


@pytest.mark.parametrize("head", [nn.Linear(6, 2), (np.eye(2, 6), np.zeros(2)), LinearHead(np.eye(2, 6), np.zeros(2))])
def test_a_head_may_be_given_as_weights(supply, head):
    """As a layer, a pair or a head of ours; it is called `given`, and one of another width is refused."""
    made = supply("plain", head=head)
    weight = head[0] if isinstance(head, tuple) else head.weight.detach().numpy()
    assert made.lacks(OpenMax(), {}) is None
    np.testing.assert_array_equal(made.needed(ReAct(), [])["head"].weight, weight)
    assert made.settings()["head"] == "given"
    wide = supply("plain", head=(np.eye(2, 7), np.zeros(2)))
    with pytest.raises(InvalidInput, match="for this head"):
        wide.rows(MSP(), wide.fit)


@pytest.mark.parametrize("head", ["probe", "zero_shot", "pseudo_label_probe", "backbone"])
def test_the_accuracy_of_a_head_is_noted(supply, tested, head):
    """On the in-set's test images; the texts name the colours, the classifier has them the other way round."""
    made = supply("two_classes" if head == "backbone" else "clip", head=head)
    made.rows(MSP(), made.fit)
    part = tested(made)
    notes = made.notes(part)
    if head == "zero_shot":
        expected = 100.0
    elif head == "backbone":
        expected = 0.0
    else:
        expected = 100 * np.mean(made.head.logits(part.features).argmax(axis=1) == part.labels)
    assert notes[-1] == f"head {head}: 2 classes, test accuracy {expected:.1f} %"
    assert (f"head {head}: pseudo-label accuracy 100.0 %" in notes) == (head == "pseudo_label_probe")


def test_no_head_no_note(supply, tested):
    """Scorers of features alone make none."""
    made = supply("clip")
    assert made.needed(KNN(), []) == {}
    assert made.notes(tested(made)) == []
    assert made.settings() == {"head": None, "prompts": None, "logit_scale": None, "views": []}


def test_a_test_set_without_labels_has_no_accuracy(supply, painted):
    """The number of classes is all there is to say."""
    made = supply("clip", "flat", class_names=RED_GREEN)
    made.rows(MSP(), made.fit)
    assert made.notes(made.fit) == ["head zero_shot: 2 classes"]


def test_classes_in_another_order_are_suspected(supply, tested):
    """A head from elsewhere with as many classes, three here, that is hardly ever right."""
    made = supply("plain", head=(np.eye(3, 6), np.zeros(3)))
    made.images.class_names = ("green", "red", "blue")
    made.rows(MSP(), made.fit)
    (note,) = made.notes(tested(made))
    assert note.endswith("test accuracy 0.0 %; its classes seem to be in another order than the data set's")


# What scorers are given


def test_zero_shot_logits_are_cosines_with_the_texts(supply):
    """Of projected features; a scorer under the head gets unit rows, whose product with the weights these are."""
    made = supply("clip", head="zero_shot", prompts=SINGLE_PROMPT)
    joint = made.backbone.project(torch.from_numpy(np.array(made.fit.features))).numpy()
    unit = joint / np.linalg.norm(joint, axis=1, keepdims=True)
    text = made.backbone.embed_text(["a photo of a green.", "a photo of a red."]).numpy()
    text /= np.linalg.norm(text, axis=1, keepdims=True)

    np.testing.assert_allclose(made.rows(MSP(), made.fit), unit @ text.T, atol=1e-6)
    np.testing.assert_allclose(made.rows(ReAct(), made.fit), unit, atol=1e-6)
    np.testing.assert_allclose(made.rows(create("mcm"), made.fit), joint, atol=1e-6)
    head = made.needed(ReAct(), [])["head"]
    np.testing.assert_allclose(made.rows(ReAct(), made.fit) @ head.weight.numpy().T, unit @ text.T, atol=1e-6)
    np.testing.assert_allclose(made.needed(create("mcm"), [])["text"], text, atol=1e-6)
    assert made.settings() == {"head": "zero_shot", "prompts": list(SINGLE_PROMPT), "logit_scale": None, "views": []}


def test_the_logit_scale_multiplies_zero_shot_logits(supply):
    """By the model's own number, where it has one."""
    plain, scaled = (supply("clip", head="zero_shot", logit_scale=scale) for scale in (False, True))
    np.testing.assert_allclose(scaled.rows(MSP(), scaled.fit), 20 * plain.rows(MSP(), plain.fit), rtol=1e-5)
    assert scaled.settings()["logit_scale"] == 20
    without = supply("clip_without_scale", head="zero_shot", logit_scale=True)
    assert "has no logit scale; leave --logit-scale out" in without.lacks(MSP(), {})


def test_features_stay_as_they_are(supply):
    """For scorers of features, and of features under a head that is over these."""
    made = supply("clip")
    for scorer in (KNN(), ReAct(), Residual()):
        assert made.rows(scorer, made.fit) is made.fit.features


def test_an_optional_head_is_given_where_it_is_over_features(supply):
    """Residual can use it; the zero-shot head is over another space, and where there is none it goes without."""
    assert "head" in supply("plain").needed(Residual(), [])
    assert "head" not in supply("clip", head="zero_shot").needed(Residual(), [])
    assert "head" not in supply("plain", "flat").needed(Residual(), [])


class CouldUseNames(KNN):
    """Would take texts of OOD names if it were given them."""

    optional = frozenset({Need.TEXT, Need.OUT_TEXT})


def test_names_of_ood_classes_are_given_to_none_that_can_do_without(supply, outs):
    """What a scorer merely could use never lets it see the OOD side."""
    made = supply("clip")
    parts = [embed(images, made.backbone) for images in outs("out").values()]
    assert made.needed(CouldUseNames(), parts) == {}


def test_a_fit_on_what_the_head_was_trained_on_is_doubted(supply):
    """For those who want other rows, and where a head was trained or may have been."""
    trained, own, text = supply("plain"), supply("two_classes"), supply("clip", head="zero_shot")
    for made in (trained, own, text):
        _ = made.head
    assert "that the head was trained on" in trained.doubts(create("temp_scaling"))[0]
    assert "that the head may have been trained on" in own.doubts(create("kl_matching"))[0]
    assert text.doubts(create("temp_scaling")) == []
    assert trained.doubts(MSP()) == []


def test_names_are_cleaned_on_request(supply):
    """Underscores become spaces, which a prompt that is a name itself shows; without it names stay as they are."""
    given = {"class_names": ["dark_green", "red_"], "prompts": ("{}",), "head": "zero_shot"}
    plain, clean = supply("clip", **given), supply("clip", clean_names=True, **given)
    assert plain.head.class_names == ("dark_green", "red_")
    assert clean.head.class_names == ("dark green", "red")


def test_labels_are_given_to_those_who_take_them(supply):
    """Also where they are optional; not where there are none."""
    np.testing.assert_array_equal(supply("plain").needed(create("mahalanobis"), [])["labels"], [0] * 12 + [1] * 12)
    assert supply("plain", "flat").needed(create("mahalanobis"), []) == {}


def test_negatives_are_mined_from_words_that_are_no_class_names(supply):
    """Of the given words with the first prompt, whatever the case of a class name among them."""
    words = Words(("Red", "blue", "house"), ("", "", ""))
    made = supply("clip", negatives=words, prompts=("one {}", "two {}"))
    assert made.lacks(NegLabel(), {}) is None
    text = made.backbone.embed_text(["one blue"]).numpy()
    text /= np.linalg.norm(text)
    np.testing.assert_allclose(made.needed(NegLabel(), [])["negatives"], text, atol=1e-6)
    assert made.settings()["prompts"] == ["one {}", "two {}"]


def test_captions_are_embedded_as_they_stand(supply):
    """Without a prompt."""
    made = supply("clip", captions=["something red", "a green field"])
    expected = made.backbone.embed_text(["something red", "a green field"]).numpy()
    np.testing.assert_allclose(made.needed(Caption(), [])["captions"], expected, rtol=1e-6)
    assert made.settings()["prompts"] is None


def test_captions_by_image_are_those_of_the_fit_images(supply, tested):
    """A test image's own captions would tell how it looks; those of images that are fitted on do not."""
    made = supply("clip")
    test = tested(made)
    by_image = {made.fit.ids[0]: ["something red"], test.ids[0]: ["a green field"], "of no set.jpg": ["a blue sky"]}
    made = supply("clip", captions=by_image)
    expected = made.backbone.embed_text(["something red"]).numpy()
    assert made.notes(test) == []
    np.testing.assert_allclose(made.needed(Caption(), [])["captions"], expected, rtol=1e-6)
    assert made.notes(test) == ["captions: 1, those of the 24 fit images alone"]


def test_names_of_ood_classes_are_the_out_sets_own_or_those_given(supply, outs):
    """One out-set's names, in the prompts."""
    made = supply("clip", prompts=("{}",))
    sets = outs("out")
    parts = [embed(images, made.backbone) for images in sets.values()]
    assert made.lacks(InOutNames(), sets) is None
    assert made.needed(InOutNames(), parts)["out_text"].shape == (2, 3)
    given = supply("clip", prompts=("{}",), out_names=["blue"])
    assert given.lacks(InOutNames(), outs("out", "flat_out")) is None
    text = given.backbone.embed_text(["blue"]).numpy()
    np.testing.assert_allclose(given.needed(InOutNames(), parts)["out_text"], text / np.linalg.norm(text), atol=1e-6)


def test_an_ensemble_gets_what_its_members_need(supply):
    """Logits for some and features for others: features and a head; texts and logits: the zero-shot head's rows."""
    mixed = Ensemble(("knn", "msp"))
    made = supply("two_classes")
    assert made.rows(mixed, made.fit) is made.fit.features
    assert made.needed(mixed, [])["head"] is made.head
    joint, zero_shot = Ensemble(("mcm", "msp", "residual")), supply("clip", head="zero_shot")
    assert "add --head zero_shot" in supply("clip").lacks(joint, {})
    assert zero_shot.lacks(joint, {}) is None
    joint.fit(zero_shot.rows(joint, zero_shot.fit), **zero_shot.needed(joint, []))
    without_head = Ensemble(("mcm", "residual"))
    assert supply("clip").needed(without_head, []).keys() == {"text"}


def test_rows_are_made_once(supply):
    """And row by row the same as those made of any part, which gradients flow through."""
    made = supply("clip", head="zero_shot")
    assert made.rows(MSP(), made.fit) is made.rows(create("energy"), made.fit)
    some = torch.from_numpy(np.array(made.fit.features[3:5])).requires_grad_(True)
    for scorer in (MSP(), ReAct(), create("mcm"), KNN()):
        rows = made.rows_of(scorer)(some)
        assert rows.requires_grad
        np.testing.assert_allclose(rows.detach().numpy(), made.rows(scorer, made.fit)[3:5], atol=1e-6)


def test_rows_of_many_features_are_made_in_blocks():
    """All of them, in order, in float32 whatever the features are in."""
    features = np.arange(2 * BLOCK_ROWS + 6, dtype=np.float16).reshape(-1, 2) % 7
    rows = Rows(project=lambda x: x.double() + 1)
    assert rows.of(features).dtype == np.float32
    np.testing.assert_array_equal(rows.of(features), features + 1)


def test_a_head_of_another_package_is_given_texts_if_it_says_so(supply, monkeypatch):
    """What its entry needs is what it gets."""
    target = "oodkit.heads.making:zero_shot"
    ours = {**heads, "theirs": Entry(target, "another", needs="class names, text tower")}
    monkeypatch.setattr("oodkit.evaluation.head_supply.heads", Registry("head", ours, "oodkit.test.heads"))
    monkeypatch.setattr("oodkit.heads.heads", Registry("head", ours, "oodkit.test.heads"))
    made = supply("clip", head="theirs")
    assert made.lacks(MSP(), {}) is None
    assert made.rows(MSP(), made.fit).shape == (24, 2)
    assert "has none; give --class-names FILE" in supply("clip", "flat", head="theirs").lacks(MSP(), {})


# What is lacking


@pytest.mark.parametrize(
    ("factory", "name", "extras", "scorer", "reason"),
    [
        ("plain", "flat", {}, "relative_mahalanobis", "class labels, and flat has none; use a folder per class"),
        ("plain", "flat", {}, "msp", "a head: .* has no classifier, and flat has no labels to train a probe on"),
        ("plain", "in", {"head": "backbone"}, "msp", "has no classifier of its own; choose another --head"),
        ("plain", "flat", {"head": "probe"}, "vim", "trained on class labels, and flat has none"),
        ("plain", "one", {"head": "probe"}, "msp", "at least 2 classes, and one has 1"),
        ("plain", "in", {"head": "zero_shot"}, "msp", "zero_shot needs a backbone with an image-text space"),
        ("clip", "flat", {"head": "zero_shot"}, "msp", "class names: flat has none; give --class-names FILE"),
        ("clip", "flat", {"head": "zero_shot", "class_names": ["a", "a"]}, "msp", "stand for several classes"),
        ("plain", "in", {}, "mcm", "a backbone with an image-text space, such as one of open_clip"),
        ("clip", "flat", {}, "mcm", "it needs class names: flat has none"),
        ("clip", "flat", {}, "neglabel", "it needs class names: flat has none"),
        ("clip", "in", {"class_names": ["a", " "]}, "mcm", "class name 1 is empty"),
        ("clip", "in", {"negatives": Words(("RED",), ("",))}, "neglabel", "all that were given are class names"),
        ("clip", "in", {}, "caption", "captions of in-distribution images; give --captions FILE"),
        ("clip", "in", {"captions": []}, "caption", "captions of in-distribution images"),
        ("clip", "in", {"captions": {"x.jpg": ["a"]}}, "caption", "those given are of others; check names"),
        ("clip", "in", {"out_names": ["a", "a"]}, "in_out_names", "OOD classes: 1 class names stand for several"),
    ],
)
def test_what_a_scorer_lacks_is_said(supply, outs, factory, name, extras, scorer, reason):
    """In one line that says what to do, before anything is asked for."""
    found = supply(factory, name, **extras).lacks(create(scorer), outs("out"))
    assert re.search(reason, found)
    assert "\n" not in found


def test_names_of_ood_classes_must_be_those_of_one_set(supply, outs):
    """None, several, or a set without classes."""
    made = supply("clip")
    assert "needs names of the OOD classes; give --out-names" in made.lacks(InOutNames(), {})
    assert "one out-set; give one at a time" in made.lacks(InOutNames(), outs("out", "flat_out"))
    assert "flat_out has none; give --out-names" in made.lacks(InOutNames(), outs("flat_out"))


def test_what_can_never_be_used_is_refused_at_once(painted, supply):
    """An unknown head, a prompt without {}, names that differ in number from the classes."""
    with pytest.raises(UnknownName, match="did you mean 'probe'"):
        supply("plain", head="prob")
    with pytest.raises(InvalidInput, match=r"has no \{\} where the class name belongs"):
        supply("clip", prompts=["a photo"])
    with pytest.raises(InvalidInput, match="3 class names were given, but in has 2 classes"):
        supply("clip", class_names=["a", "b", "c"])
    with pytest.raises(InvalidInput, match=r"a head must be \(weight, bias\), an nn.Linear or a LinearHead, got int"):
        supply("plain", head=3)
    images = load_dataset(f"{painted / 'in'}:train")
    images.class_names = None
    with pytest.raises(InvalidInput, match="3 class names were given, but in has 2 classes"):
        Supply(supply("clip").backbone, "in", images, Extras(class_names=["a", "b", "c"]), None)


def test_what_is_given_and_not_used_is_said(supply):
    """A line each; none for what a scorer takes."""
    words = Words(("house",), ("",))
    given = {"head": "zero_shot", "captions": ["a"], "negatives": words, "out_names": ["b"], "prompts": ["{}"]}
    made = supply("clip", **given, logit_scale=True)
    things = ["a head", "captions", "negative words", "names of OOD classes", "prompts", "the logit scale"]
    assert [line.partition(" will not be used")[0] for line in made.unused([KNN()])] == things
    assert made.unused([MSP(), Caption(), NegLabel(), InOutNames()]) == []
    assert supply("clip").unused([KNN()]) == []


# Views


def test_views_are_those_of_the_fit_images_in_the_order_named(supply, outs):
    """(V, N, D), each as the view embeds; auxiliary images come first as they are, then through their views."""
    made = supply("plain")
    assert made.lacks(Shifted(), {}) is None
    needed = made.needed(Shifted(), [])
    assert set(needed) == {"views"}
    for view, rows in zip(("rotate90", "mild1"), needed["views"], strict=True):
        np.testing.assert_array_equal(rows, embed(made.images, made.backbone, view=view).features)
    assert made.settings()["views"] == ["rotate90", "mild1"]
    aux = outs("out")["out"]
    with_aux = Supply(made.backbone, "in", made.images, Extras(), None, aux=aux)
    with_aux.fit = made.fit
    rows = with_aux.needed(Shifted(), [])["aux"]
    np.testing.assert_array_equal(rows[0], embed(aux, made.backbone).features)
    np.testing.assert_array_equal(rows[1], embed(aux, made.backbone, view="flip").features)


def test_views_that_cannot_be_given(supply):
    """None named, one that does not exist, no auxiliary set."""
    made = supply("plain")
    assert "must define view_names" in made.lacks(Shifted(views=()), {})
    with pytest.raises(UnknownName, match="did you mean 'mild1'"):
        made.lacks(Shifted(views=("mild",)), {})
    needy = Shifted()
    needy.needs = frozenset({Need.AUX})
    assert "give --aux D" in made.lacks(needy, {})


def test_views_of_logits_are_logits(supply):
    """What the scorer takes of an image it takes of its views."""
    made = supply("two_classes")
    scorer = Shifted()
    scorer.needs = frozenset({Need.VIEWS, Need.LOGITS})
    turned = embed(made.images, made.backbone, view="rotate90").features
    expected = made.backbone.classifier(torch.from_numpy(np.array(turned))).detach().numpy()
    np.testing.assert_allclose(made.needed(scorer, [])["views"][0], expected, rtol=1e-5)
