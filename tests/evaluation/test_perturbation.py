"""One small step on the image that raises its score."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from oodkit.backbones import Backbone, from_module
from oodkit.data.image_list import as_image_set
from oodkit.errors import InvalidInput
from oodkit.evaluation.perturbation import perturbed, perturbed_scores
from oodkit.evaluation.rows import Rows
from oodkit.heads import LinearHead, as_linear_head
from oodkit.scorers import KNN, MSP, ODIN, create

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


class Linear(nn.Module):
    """Pixels times a matrix."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(48, 3)
        with torch.no_grad():
            self.fc.weight.copy_(torch.arange(144).view(3, 48).mul(7.3).sin())
            self.fc.bias.zero_()

    def forward(self, pixels):
        return self.fc(pixels.flatten(1))


class Colder(nn.Module):
    """Something with layers that remember batches, if they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.GELU(), nn.Dropout(), nn.Flatten())

    def forward(self, pixels):
        return self.layers(pixels)


@pytest.fixture
def linear() -> Backbone:
    """48 pixels, in their order, are the features; the layer is the classifier."""
    network = from_module(Linear(), image_size=4, mean=MEAN, std=STD, classifier="fc")
    return Backbone.of("linear", network, device="cpu")


@pytest.fixture
def pixels() -> torch.Tensor:
    """Six images, away from black and white."""
    return torch.rand(6, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1


@pytest.fixture
def images():
    """The same in eight bits, as an image set."""
    rng = np.random.default_rng(0)
    return as_image_set([Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)) for _ in range(6)])


def odin(linear: Backbone, temperature: float = 1000.0) -> tuple[Rows, ODIN]:
    head = as_linear_head(linear.classifier)
    return Rows(head=head), ODIN(temperature).fit(np.zeros((2, 3)))


def test_the_step_is_odins(linear, pixels):
    """As its published code has it: against the gradient of cross-entropy at the predicted class and temperature T, in
    normalised pixels, where the sign is divided by each channel's std. There the step is epsilon / std."""
    rows, scorer = odin(linear)
    found = perturbed(linear, rows, scorer, pixels, 0.0014)

    std = torch.tensor(STD).view(1, 3, 1, 1)
    normalised = ((pixels - torch.tensor(MEAN).view(1, 3, 1, 1)) / std).double().requires_grad_(True)
    logits = nn.functional.linear(normalised.flatten(1), linear.classifier.weight.double()) / 1000
    nn.functional.cross_entropy(logits, logits.argmax(dim=1), reduction="sum").backward()
    moved = normalised.detach() - 0.0014 * normalised.grad.sign() / std

    expected = moved * std + torch.tensor(MEAN).view(1, 3, 1, 1)
    torch.testing.assert_close(found.double(), expected, atol=1e-7, rtol=0)
    torch.testing.assert_close((found - pixels).abs(), torch.full_like(pixels, 0.0014), atol=1e-7, rtol=0)


@pytest.mark.parametrize("name", ["msp", "odin", "energy", "react", "knn", "mahalanobis"])
def test_a_small_step_raises_the_score(linear, images, name):
    """Of every image, for any scorer with gradients; on a linear model the maximum softmax rises for sure."""
    scorer, head = create(name), as_linear_head(linear.classifier)
    on_logits = name in ("msp", "odin", "energy")
    rows = Rows(head=head) if on_logits else Rows()
    fit = rows(torch.randn(100, 48, generator=torch.Generator().manual_seed(1)))
    scorer.fit(fit, head=None if on_logits else head)
    plain, moved = (perturbed_scores(linear, rows, scorer, images, epsilon) for epsilon in (0, 0.0014))
    assert np.all(moved > plain)


def test_no_step_gives_the_plain_scores(linear, images):
    """Those of `embed_images`."""
    rows, scorer = odin(linear, 1.0)
    features = linear.embed_images([images.open(i) for i in range(6)]).clone()
    expected = scorer.score_samples(rows(features))
    np.testing.assert_allclose(perturbed_scores(linear, rows, scorer, images, 0), expected, rtol=1e-6)
    assert perturbed_scores(linear, rows, scorer, images.subset([]), 0.01).shape == (0,)


def test_each_image_is_alone(images):
    """Whatever stands beside it in a batch: layers run as in evaluation, and gradients do not mix."""
    torch.manual_seed(0)
    network = from_module(Colder(), image_size=4, mean=MEAN, std=STD)
    backbone = Backbone.of("colder", network, device="cpu")
    scorer = KNN().fit(backbone.embed_pixels(torch.rand(5, 3, 4, 4)).numpy())
    _ = backbone.embed_images([images.open(0)])
    together = perturbed_scores(backbone, Rows(), scorer, images, 0.01)
    for size in (1, 4):
        found = perturbed_scores(backbone, Rows(), scorer, images, 0.01, batch_size=size)
        np.testing.assert_allclose(found, together, atol=1e-6)
    turned = perturbed_scores(backbone, Rows(), scorer, images.subset([4, 0, 2]), 0.01)
    np.testing.assert_allclose(turned, together[[4, 0, 2]], atol=1e-6)


def test_images_stay_images(linear):
    """Black and white cannot be left; where there is no gradient, nothing moves."""
    rows, scorer = odin(linear)
    edges = torch.cat([torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)])
    moved = perturbed(linear, rows, scorer, edges, 0.1)
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert bool((moved != edges).any())
    flat = Rows(head=LinearHead(np.zeros((3, 48)), np.zeros(3)))
    torch.testing.assert_close(perturbed(linear, flat, scorer, edges, 0.1), edges)


def test_nothing_else_is_touched(linear, pixels):
    """Neither the pixels that were given nor gradients of weights; and it works where gradients are off."""
    rows, scorer = odin(linear)
    before = pixels.clone()
    with torch.no_grad():
        moved = perturbed(linear, rows, scorer, pixels, 0.01)
    assert not moved.requires_grad
    torch.testing.assert_close(pixels, before, atol=0, rtol=0)
    assert linear.classifier.weight.grad is None


def test_what_cannot_be_stepped_is_refused(linear, images, pixels):
    """A step below 0 or none at all, a compiled backbone, no gradients, gradients that are not finite."""
    rows, scorer = odin(linear)
    for epsilon in (-0.1, float("nan")):
        with pytest.raises(InvalidInput, match="must be a number of at least 0"):
            perturbed_scores(linear, rows, scorer, images, epsilon)
    forest = create("sklearn:IsolationForest").fit(np.random.default_rng(0).normal(size=(20, 48)))
    with pytest.raises(InvalidInput, match="has no gradients"):
        perturbed_scores(linear, Rows(), forest, images, 0.01)

    class Rooted(MSP):
        def _score(self, x):
            return (x * 0).sum(dim=1).sqrt()

    with pytest.raises(InvalidInput, match="the gradient of Rooted is not finite"):
        perturbed(linear, rows, Rooted().fit(np.zeros((2, 3))), pixels, 0.01)
    linear.compile = True
    with pytest.raises(InvalidInput, match="compiled backbone has no gradients"):
        perturbed_scores(linear, rows, scorer, images, 0.01)
