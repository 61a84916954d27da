"""What a distilled head says of images: how far its answer is from uniform, which shifted images are taught."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from oodkit.backbones.preprocessing import Preprocessing
from oodkit.progress import progress
from oodkit.training.images import TrainingImages

BATCH = 256  # images that go through the network at once


class UniformityScore:
    """The score KL(q || uniform) = log K - H(q), q = softmax(logits / temperature); higher is more in-distribution.

    Args:
        network: normalised pixels -> logits (B, K), on the device.
        preprocessing: standardises pixels.
        temperature: that of the student, for which answers of negatives were taught to be uniform.
        device: to compute on.
    """

    def __init__(
        self, network: nn.Module, preprocessing: Preprocessing, temperature: float, device: torch.device
    ) -> None:
        self.network, self.preprocessing = network.eval(), preprocessing
        self.temperature, self.device = temperature, device

    def score(self, images: TrainingImages) -> NDArray[np.float64]:
        """Scores (N,), from 0 to log K; each depends on its own image only."""
        found: list[Tensor] = []
        with torch.inference_mode(), progress(f"scoring {images.images.name}", len(images)) as advance:
            for part in torch.split(torch.arange(len(images)), BATCH):
                pixels = self.preprocessing.normalise(images.rows(part).to(self.device).float() / 255)
                answers = (self.network(pixels).double() / self.temperature).log_softmax(dim=1)
                found.append(math.log(answers.shape[1]) + (answers.exp() * answers).sum(dim=1).cpu())
                advance(len(part))
        return torch.cat(found).numpy()
