"""The sign of every scorer on a real backbone: photographs must score above noise and blank images.

Each registered scorer is fitted on pieces of two photographs with the bundled network's features and, where it works on
logits or under a head, its ImageNet classifier. What cannot be so is said beside the scorer's name in `SETTINGS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from oodkit.backbones import load_backbone
from oodkit.backbones.preprocessing import pixels_of
from oodkit.heads import LinearHead, as_linear_head, fit_probe
from oodkit.metrics import auroc
from oodkit.scorers import create, scorers
from oodkit.scorers.base import Need
from oodkit.views import load_view

SIDE, PER_PHOTOGRAPH, HELD_OUT = 96, 24, 8
MARGIN = 0.9


@dataclass(frozen=True)
class Setting:
    """How a scorer's rows differ from the usual ones, and why.

    Attributes:
        why: the reason.
        params: of the scorer.
        probe: take a probe on the two photographs in place of the ImageNet head.
        unit: bring features to length 1.
    """

    why: str
    params: Mapping[str, Any] = field(default_factory=dict)
    probe: bool = False
    unit: bool = False


NO_TEXT = "the bundled network has no text tower: features of other images stand for those of texts"
SETTINGS = {
    "mcm": Setting(NO_TEXT),
    "in_out_names": Setting(NO_TEXT),
    "neglabel": Setting(NO_TEXT),
    "caption": Setting(NO_TEXT),
    "she": Setting("every class of the head needs fit rows, and two photographs have none of most", probe=True),
    "residual": Setting(
        "it measures a length, and features of noise and blank images are a third to a sixth as long as those of "
        "photographs, so that what is left of them off the principal space is short too: by its assumption of rows "
        "alike in length, all are brought to one",
        params={"dim": 16},
        unit=True,
    ),
    "vim": Setting("its distance is that of residual", params={"dim": 16}, unit=True),
}


@dataclass(frozen=True)
class Material:
    """Features of pieces of photographs and of their views, noise, plain colours and digits, and the two heads."""

    fit: np.ndarray
    inside: np.ndarray
    noise: np.ndarray
    blank: np.ndarray
    digits: np.ndarray
    labels: np.ndarray
    classifier: LinearHead
    probe: LinearHead
    view: Callable[[str], np.ndarray]


@pytest.fixture(scope="module")
def material(photograph) -> Material:
    backbone = load_backbone("efficientnet_lite0", image_size=SIDE, device="cpu")
    rng = np.random.default_rng(0)

    def features(images: list[Image.Image]) -> np.ndarray:
        return np.concatenate([backbone.embed_images(images[i : i + 16]).numpy() for i in range(0, len(images), 16)])

    def pieces(
        first: int, count: int
    ) -> list[Image.Image]:  # of one photograph by even seeds, of the other by odd ones
        return [photograph(2 * i + of, 256, 256) for of in (0, 1) for i in range(first, first + count)]

    def view(name: str) -> np.ndarray:
        moved = [load_view(name).apply(pixels_of(image)) for image in pieces(0, PER_PHOTOGRAPH)]
        return features([Image.fromarray(pixels.permute(1, 2, 0).numpy()) for pixels in moved])

    fit = features(pieces(0, PER_PHOTOGRAPH))
    labels = np.repeat([0, 1], PER_PHOTOGRAPH)
    return Material(
        fit=fit,
        inside=features(pieces(PER_PHOTOGRAPH, HELD_OUT)),
        noise=features([Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)) for _ in range(16)]),
        blank=features([Image.new("RGB", (SIDE, SIDE), tuple(rng.integers(0, 256, 3).tolist())) for _ in range(16)]),
        digits=features([Image.fromarray((15 * image).astype(np.uint8)) for image in load_digits().images[:32]]),
        labels=labels,
        classifier=as_linear_head(backbone.classifier),
        probe=fit_probe(fit, labels),
        view=view,
    )


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fit_arguments(material: Material, head: LinearHead) -> dict[Need, Any]:
    prototypes = np.stack([unit(material.fit[material.labels == of]).mean(axis=0) for of in (0, 1)])
    return {
        Need.LABELS: material.labels,
        Need.HEAD: head,
        Need.TEXT: prototypes,
        Need.OUT_TEXT: np.stack([material.noise[:4].mean(axis=0), material.blank[:4].mean(axis=0)]),
        Need.CAPTIONS: material.fit[::4],
        Need.NEGATIVES: material.digits,
    }


@pytest.mark.parametrize("name", list(scorers))
def test_photographs_score_above_noise_and_blank_images(material, name):
    """In at least nine of ten pairs with each, the photograph has the higher score."""
    setting = SETTINGS.get(name, Setting("as usual"))
    scorer = create(name, **setting.params)
    head = material.probe if setting.probe else material.classifier

    def rows(features: np.ndarray) -> np.ndarray:
        features = unit(features) if setting.unit else features
        return head.logits(features) if Need.LOGITS in scorer.needs else features

    needed = {need.value: value for need, value in fit_arguments(material, head).items() if need in scorer.needs}
    if Need.VIEWS in scorer.needs:
        needed["views"] = np.stack([material.view(view) for view in scorer.view_names()])
    if Need.HEAD in scorer.optional:
        needed["head"] = head
    scorer.fit(rows(material.fit), **needed)
    inside = scorer.score_samples(rows(material.inside))
    for outside in (material.noise, material.blank):
        assert auroc(inside, scorer.score_samples(rows(outside))) > MARGIN


def test_why_residual_is_given_rows_of_one_length(material):
    """The statement in its setting: as they are, blank images lie nearer to the principal space, being short."""
    lengths = {name: np.linalg.norm(getattr(material, name), axis=1) for name in ("inside", "noise", "blank")}
    assert lengths["noise"].mean() < lengths["inside"].mean() / 2
    assert lengths["blank"].mean() < lengths["inside"].mean() / 4
    residual = create("residual", dim=16).fit(material.fit, head=material.classifier)
    assert auroc(residual.score_samples(material.inside), residual.score_samples(material.blank)) < 0.5
