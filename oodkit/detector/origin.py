"""What a detector was fitted on."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from oodkit.data.image_set import ImageSet
from oodkit.detector.comparison import Comparison
from oodkit.detector.kinds import Kinds, kinds_of


@dataclass(frozen=True)
class Origin:
    """The images of a fit, without the images.

    Attributes:
        images: name and split of their set.
        fingerprint: of their contents, order and labels.
        root: folder that ids of images are relative to; they may be no files.
        classes: how many classes were used and which, in a few words; None where none were.
        kinds: their sizes, formats and colour; None where they are not known.
        comparison: how scorer and backbone were chosen; None where they were named.
        averaged: views whose features were averaged with those of each image.
    """

    images: str
    fingerprint: str
    root: str
    classes: str | None
    kinds: Kinds | None
    comparison: Comparison | None
    averaged: tuple[str, ...]

    @classmethod
    def of(
        cls,
        images: ImageSet,
        name: str,
        classes: str | None,
        comparison: Comparison | None,
        averaged: tuple[str, ...] = (),
    ) -> Self:
        """That of an image set."""
        where, identifier = images.where(0), images.ids[0]
        root = where.removesuffix(identifier) if os.path.isabs(where) else ""  # noqa: PTH117 - text, not a path
        kinds = Kinds.of(kinds_of(images))
        folder = root or os.getcwd()  # noqa: PTH109
        return cls(name, images.fingerprint, folder, classes, kinds, comparison, averaged)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "comparison": None if self.comparison is None else self.comparison.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` gave."""
        kinds, comparison = values["kinds"], values["comparison"]
        return cls(
            **{
                **values,
                "kinds": None if kinds is None else Kinds(**kinds),
                "comparison": None if comparison is None else Comparison.from_dict(comparison),
                "averaged": tuple(values["averaged"]),
            }
        )
