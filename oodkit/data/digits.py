"""scikit-learn's handwritten digits: 1,797 images of 8x8 that are there without a download."""

import numpy as np

from oodkit.data.arrays import ArrayImageSet
from oodkit.data.dataset import Dataset
from oodkit.data.image_set import ImageSet


class Digits(Dataset):
    """The digits of `sklearn.datasets.load_digits` in one split, "all"; grey values 0..16 are scaled to 0..255.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).
    """

    name = "digits"
    splits = ("all",)
    class_names = tuple("0123456789")
    origin = "scikit-learn"

    def _load(self, split: str) -> ImageSet:
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        return ArrayImageSet(self.name, split, pixels, digits.target, self.class_names)
