"""ODIN's step on the image (Liang et al., ICLR 2018), for any backbone and any scorer that has gradients."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oodkit.backbones import Backbone
from oodkit.backbones.preprocessing import pixels_of
from oodkit.data.image_set import ImageSet
from oodkit.embedding.extraction import ahead, default_batch_size
from oodkit.errors import InvalidInput
from oodkit.evaluation.rows import Rows
from oodkit.progress import progress
from oodkit.scorers.base import Scorer
from oodkit.views import load_view


def check_epsilon(epsilon: float) -> None:
    """Refuse a step that is none; raises InvalidInput."""
    if not (math.isfinite(epsilon) and epsilon >= 0):
        raise InvalidInput(f"the perturbation must be a number of at least 0, such as 0.0014, got {epsilon}")


def perturbed(backbone: Backbone, rows: Rows, scorer: Scorer, pixels: Tensor, epsilon: float) -> Tensor:
    """Images after one small step that raises their score:

        x' = clip(x + epsilon sign(d score(x) / dx), 0, 1)

    Pixels, and so epsilon, are in [0, 1], before the backbone's normalisation. A step of epsilon there is one of
    epsilon / std in normalised pixels, which is how ODIN's published code steps: it divides the sign by each channel's
    std, so that its epsilon of 0.0014 is 0.0014 here (a third of one of 255 grey levels), whatever the backbone's std.
    A step that is 0.0014 in each normalised pixel instead is 0.0014 std here. ODIN steps against the gradient of
    -log p of the predicted class at its temperature, which is along that of the scorer "odin". Two differences: its
    code moves pixels without a gradient too (it counts 0 as positive), and does not clip.

    Args:
        backbone: pixels to features.
        rows: features to what the scorer takes.
        scorer: fitted, with gradients.
        pixels: (B, 3, H, W) in [0, 1]; each image is moved by its own gradient alone.
        epsilon: size of the step.

    Returns:
        (B, 3, H, W) in [0, 1], not rounded to 8 bits.

    Raises:
        InvalidInput: a gradient that is not finite, or a scorer without gradients.
    """
    if epsilon == 0:
        return pixels
    with torch.enable_grad():
        moving = pixels.detach().to(backbone.device).requires_grad_(True)
        scores = scorer.score_tensor(rows(backbone.embed_pixels(moving)))
        (gradient,) = torch.autograd.grad(scores.sum(), moving)
    if not bool(gradient.isfinite().all()):
        raise InvalidInput(f"the gradient of {type(scorer).__name__} is not finite for an image; score unperturbed")
    return (moving.detach() + epsilon * gradient.sign()).clamp(0, 1)


def perturbed_scores(
    backbone: Backbone,
    rows: Rows,
    scorer: Scorer,
    images: ImageSet,
    epsilon: float,
    *,
    view: str = "identity",
    batch_size: int | None = None,
) -> NDArray[np.float64]:
    """Scores of images after the step of `perturbed`: a backward and two forward passes per image, nothing stored.

    Args:
        backbone: images to features.
        rows: features to what the scorer takes.
        scorer: fitted, with gradients.
        images: all of which can be read.
        epsilon: size of the step, in pixels of [0, 1]; 0 gives the plain scores.
        view: name of the view that images are seen through; the step is taken behind it.
        batch_size: images at once; None chooses by device.

    Returns:
        (N,) float64 in the order of the images.

    Raises:
        InvalidInput: as `perturbed`, an epsilon below 0, or a backbone that is compiled.
        UnreadableImage: an image cannot be read.
    """
    check_epsilon(epsilon)
    if backbone.compile:
        raise InvalidInput("a compiled backbone has no gradients to perturb images by; leave compile out")
    backbone.load()
    seen = load_view(view).apply

    def scores(positions: Sequence[int]) -> NDArray[np.float64]:
        fitted = [backbone.preprocessing.fit([seen(pixels_of(images.open(i)))])[0] for i in positions]
        pixels = torch.stack([image.float() / 255 for image in fitted])
        moved = perturbed(backbone, rows, scorer, pixels, epsilon)
        with torch.no_grad():
            return scorer.score_samples(rows(backbone.embed_pixels(moved)))

    size = batch_size or min(default_batch_size(backbone), 64)
    batches = [range(start, min(start + size, len(images))) for start in range(0, len(images), size)]
    workers = torch.get_num_threads() if backbone.device.type == "cpu" else 1
    found = [np.empty(0)]
    with progress(f"perturbing {images.name}:{images.split}", len(images)) as advance:
        for part in ahead(scores, batches, workers):
            found.append(part)
            advance(len(part))
    return np.concatenate(found)
