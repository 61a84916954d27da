"""What the data sets of the catalog have in common."""

import warnings
from pathlib import Path

from oodkit.data.card import Card
from oodkit.data.classes import ClassSubset
from oodkit.data.dataset import Dataset
from oodkit.data.image_set import ImageSet


class CardDataset(Dataset):
    """A data set with a card: its splits and classes are known before anything is downloaded.

    Args:
        card: the data set.
        folder: where its images are or will be.
    """

    def __init__(self, card: Card, folder: Path) -> None:
        self.card = card
        self.name, self.splits, self.class_names = card.name, tuple(card.splits), card.class_names
        self.origin = str(folder)

    @property
    def default_split(self) -> str:
        """The split that a name without one means: the card's, else the test split, else the only one."""
        return self.card.default_split or super().default_split

    def _checked(self, images: ImageSet) -> ImageSet:
        """The images without the classes that the card drops; a warning where their number is not the published one."""
        names = self.card.all_class_names
        if self.card.drop_classes and names is not None:
            kept = [label for label, name in enumerate(names) if name not in self.card.drop_classes]
            images = ClassSubset(images, kept, self.name)
        published = self.card.splits.get(images.split)
        if published is not None and len(images) != published:
            warnings.warn(
                f"{self.name}:{images.split} has {published:,} images as published, but {len(images):,} in "
                f"{self.origin}: results are not comparable with others",
                stacklevel=4,
            )
        return images
