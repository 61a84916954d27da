"""Scorers of logits that are fitted with features and a head."""

import numpy as np
import pytest
import torch
from torch import nn

from oodkit.errors import InvalidInput
from oodkit.scorers import Need, create, load, scorers

ON_LOGITS = [name for name in scorers if Need.LOGITS in create(name).needs]


@pytest.fixture
def material():
    """Features (60, 8) of three classes, labels, and a head that knows them."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    weight = rng.normal(size=(3, 8))
    features = 2 * weight[labels] + rng.normal(size=(60, 8))
    return features, labels, (weight, rng.normal(size=3))


def test_there_are_such_scorers() -> None:
    """The list that the next test runs over is not empty."""
    assert {"msp", "energy", "openmax", "temp_scaling"} <= set(ON_LOGITS)


@pytest.mark.parametrize("name", ON_LOGITS)
def test_features_and_a_head_score_as_their_logits(name, material, tmp_path) -> None:
    """In any form of the head, through `score_tensor`, and after saving."""
    features, labels, (weight, bias) = material
    logits = features @ weight.T + bias
    expected = create(name).fit(logits, labels).score_samples(logits[:20])

    scorer = create(name).fit(features, labels, head=(weight, bias))
    np.testing.assert_allclose(scorer.score_samples(features[:20]), expected, rtol=1e-9, atol=1e-12)
    assert scorer.n_features_in_ == 8
    scorer.save(tmp_path / "saved")
    np.testing.assert_array_equal(
        load(tmp_path / "saved").score_samples(features[:20]), scorer.score_samples(features[:20])
    )
    if scorer.differentiable:
        moved = torch.from_numpy(features[:20]).requires_grad_(True)
        scores = scorer.score_tensor(moved)
        np.testing.assert_allclose(scores.detach(), expected, rtol=1e-9, atol=1e-12)
        assert torch.autograd.grad(scores.sum(), moved)[0].shape == (20, 8)


def test_a_linear_layer_will_do(material) -> None:
    """As for every other scorer with a head."""
    features, _, (weight, bias) = material
    layer = nn.Linear(8, 3)
    layer.weight.data, layer.bias.data = torch.from_numpy(weight).float(), torch.from_numpy(bias).float()
    logits = features.astype(np.float32) @ weight.T.astype(np.float32) + bias.astype(np.float32)

    found = create("max_logit").fit(features.astype(np.float32), head=layer).score_samples(features.astype(np.float32))

    np.testing.assert_allclose(found, logits.max(axis=1), rtol=1e-5)


def test_a_second_fit_forgets_the_head(material) -> None:
    """Without a head the rows are logits again."""
    features, _, head = material
    scorer = create("max_logit").fit(features, head=head).fit(features)

    np.testing.assert_allclose(scorer.score_samples(features), features.max(axis=1), rtol=1e-6)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ((np.zeros((3, 99)), np.zeros(3)), r"head weight must have shape \(C, 8\)"),
        ((np.full((3, 8), np.nan), np.zeros(3)), "head weight"),
        ((np.zeros((3, 8)), np.zeros(4)), "head bias must be 3 finite numbers"),
        ("probe", "a head must be"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(head, message, material) -> None:
    """Never taken for something else in silence."""
    with pytest.raises(InvalidInput, match=message):
        create("msp").fit(material[0], head=head)
