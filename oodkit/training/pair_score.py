"""What SemSAD says of images: log-odds that an image and its nearest training image are one thing."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.progress import progress
from oodkit.scorers.neighbours import Bank
from oodkit.scorers.unit_rows import unit_rows
from oodkit.training.images import TrainingImages

BATCH = 256  # images that go through the networks at once
TRANSDUCTIVE_BATCH = 1000  # pairs whose statistics are taken together


class PairScore:
    """The score z(x_nn, x), x_nn being the training image whose feature has the largest cosine with that of x.

    Args:
        encoder: gives features.
        discriminator: gives log-odds of pairs; their mean over its outputs is the score.
        preprocessing: standardises pixels for the encoder.
        images: the training images.
        device: to compute on; both networks are there.
    """

    def __init__(
        self,
        encoder: nn.Module,
        discriminator: nn.Module,
        preprocessing: Preprocessing,
        images: TrainingImages,
        device: torch.device,
    ) -> None:
        self.encoder, self.discriminator = encoder.eval(), discriminator.eval()
        self.preprocessing, self.images, self.device = preprocessing, images, device
        self.bank = Bank.of(features_of(encoder, images, preprocessing, device))

    def pairs_of(self, images: TrainingImages) -> Tensor:
        """(B, 6, S, S) uint8: the nearest training image, then the image."""
        rows = features_of(self.encoder, images, self.preprocessing, self.device)
        _, places = self.bank.nearest(rows, 1)
        own = images.rows(torch.arange(len(images)))
        return torch.cat([self.images.rows(places[:, 0]), own], dim=1)

    def score(self, pairs: Tensor, batch: int = BATCH) -> NDArray[np.float64]:
        """Scores (B,) of pairs; higher is more in-distribution.

        Args:
            pairs: from `pairs_of`.
            batch: pairs that go through the discriminator at once; it counts for batch statistics alone.
        """
        found = []
        with torch.inference_mode(), progress("scoring pairs", len(pairs)) as advance:
            for part in _even(pairs, batch):
                pixels = part.to(self.device).float() / 255
                found.append(self.discriminator(pixels).float().mean(dim=1).double().cpu())
                advance(len(part))
        return torch.cat(found).numpy()


def features_of(
    encoder: nn.Module, images: TrainingImages, preprocessing: Preprocessing, device: torch.device
) -> Tensor:
    """(N, d) features of length 1 on the CPU, without augmentation; the encoder is put in evaluation mode."""
    encoder.eval()
    found = []
    with torch.inference_mode(), progress(f"embedding {images.images.name}", len(images)) as advance:
        for part in torch.split(torch.arange(len(images)), BATCH):
            pixels = preprocessing.normalise(images.rows(part).to(device).float() / 255)
            found.append(encoder(pixels).float().cpu())
            advance(len(part))
    return unit_rows(torch.cat(found)).clone()


def _even(pairs: Tensor, batch: int) -> tuple[Tensor, ...]:
    """Parts of at most `batch` and nearly equal size, so that none has the statistics of a few pairs."""
    return pairs.tensor_split(max(1, -(-len(pairs) // batch)))
