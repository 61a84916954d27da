"""Training images as pixels of one size."""

import torch
from torch import Tensor

from oodkit.backbones.preprocessing import Preprocessing, pixels_of
from oodkit.data.image_set import ImageSet
from oodkit.progress import progress

KEPT_BYTES = 2**29  # of pixels in memory, at most; of a larger set images are read again for each epoch


class TrainingImages:
    """The images of a set, resized and cropped to squares.

    Args:
        images: the set.
        preprocessing: resizes and crops.
    """

    def __init__(self, images: ImageSet, preprocessing: Preprocessing) -> None:
        self.images, self.preprocessing = images, preprocessing
        self._kept: Tensor | None = None
        if len(images) * 3 * preprocessing.size**2 <= KEPT_BYTES:
            with progress(f"reading {images.name}", len(images)) as advance:
                rows = []
                for index in range(len(images)):
                    rows.append(self._read(index))
                    advance()
            self._kept = torch.stack(rows) if rows else None

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        """(3, size, size) uint8."""
        return self._read(index) if self._kept is None else self._kept[index]

    def rows(self, indices: Tensor) -> Tensor:
        """(B, 3, size, size) uint8 of some of them."""
        return torch.stack([self[index] for index in indices.tolist()])

    def _read(self, index: int) -> Tensor:
        return self.preprocessing.fit([pixels_of(self.images.open(index))])[0].contiguous()
