import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput, UnknownName
from oodkit.heads import Ingredients, fit_probe, heads, make_head
from tests.heads.problems import labelled, letters

NAMES = ["bad", "cafe", "head"]


def everything() -> Ingredients:
    rows, labels = labelled()
    joint = letters(NAMES)[labels] + 0.1 * torch.randn(70, 8, generator=torch.Generator().manual_seed(0))
    return Ingredients(
        features=rows,
        labels=labels,
        class_names=NAMES,
        classifier=nn.Linear(5, 7),
        joint=joint,
        embed_text=letters,
        settings={"epochs": 2},
    )


@pytest.mark.parametrize("name", list(heads))
def test_every_registered_head_can_be_made(name):
    """Each gives logits of what it acts on, and is described."""
    given = everything()

    head = make_head(name, given)

    rows = given.joint.numpy() if head.unit_features else given.features
    assert np.isfinite(head.logits(rows)).all()
    assert heads[name].summary
    assert heads[name].needs
    assert head.class_names == (None if name == "backbone" else tuple(NAMES))


def test_the_pseudo_label_probe_learns_from_the_zero_shot_head():
    """Its labels are the classes of the zero-shot logits; their accuracy is reported."""
    given = everything()
    pseudo = make_head("zero_shot", given).logits(given.joint).argmax(dim=1)

    head = make_head("pseudo_label_probe", given)

    assert torch.equal(head.weight, fit_probe(given.features, pseudo, classes=NAMES, epochs=2).weight)
    assert head.pseudo_label_accuracy == pytest.approx(np.mean(pseudo.numpy() == given.labels))
    assert head.pseudo_label_accuracy > 0.5


def test_a_classifier_without_bias_has_one_of_zeros():
    """nn.Linear(bias=False) is a head too."""
    head = make_head("backbone", Ingredients(classifier=nn.Linear(5, 7, bias=False)))

    assert head.bias.tolist() == [0] * 7


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("backbone", "a classifier of its own"),
        ("probe", "features of train images"),
        ("zero_shot", "class names"),
        ("pseudo_label_probe", "features of train images"),
    ],
)
def test_what_is_missing_is_named(name, needs):
    """One line that says which head needs what."""
    with pytest.raises(InvalidInput, match=f"the head '{name}' needs .*{needs}"):
        make_head(name, Ingredients())


def test_unknown_names_get_the_nearest():
    """As in every registry."""
    with pytest.raises(UnknownName, match="did you mean 'probe'"):
        make_head("prob", Ingredients())


def test_looking_at_the_registry_imports_no_torch():
    """Listings are quick."""
    code = "import sys, oodkit.heads; list(oodkit.heads.heads.values()); sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
