"""Sizes, formats and colour of the images that a detector was fitted on, beside those of new ones."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from oodkit.data.image_set import ImageSet
from oodkit.data.kind import Kind, image_kind
from oodkit.errors import UnreadableImage

LOOKED_AT = 500  # images of a set, of which its kinds are told
TIMES = 2  # an image is of another size if a side is so many times that of the nearest


@dataclass(frozen=True)
class Kinds:
    """Of what kinds a number of images are.

    Attributes:
        images: how many were looked at.
        smallest: shorter side of the smallest, in pixels.
        largest: of the largest.
        formats: number of images by format; without those that are pixels and no files.
        grey: how many of these have one channel.
    """

    images: int
    smallest: int
    largest: int
    formats: dict[str, int]
    grey: int

    @classmethod
    def of(cls, kinds: Iterable[Kind]) -> "Kinds | None":
        """Those of some images; None if there are none."""
        found = list(kinds)
        if not found:
            return None
        sides, formats = [kind.shorter_side for kind in found], Counter(kind.format for kind in found if kind.format)
        grey = sum(bool(kind.grey) for kind in found)
        return cls(len(found), min(sides), max(sides), dict(sorted(formats.items())), grey)

    def __str__(self) -> str:
        """In a few words."""
        files = sum(self.formats.values())
        colour = "grey" if self.grey == files else "colour" if not self.grey else f"{self.grey} of {files} grey"
        rest = [", ".join(self.formats), colour] if files else ["pixels without files"]
        return ", ".join([f"shorter side {_span(self.smallest, self.largest)}", *rest])


@dataclass
class Differences:
    """How many new images are of another kind than all that a detector was fitted on.

    Args:
        fitted: the kinds of those.
    """

    fitted: Kinds
    images: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    sides: list[int] = field(default_factory=list)

    def add(self, kind: Kind) -> None:
        """Look at one more image."""
        fitted, side = self.fitted, kind.shorter_side
        self.images += 1
        self.sides = [side, side] if not self.sides else [min(side, self.sides[0]), max(side, self.sides[1])]
        self.counts["smaller"] += side * TIMES <= fitted.smallest
        self.counts["larger"] += side >= TIMES * fitted.largest
        if kind.format is None or not (files := sum(fitted.formats.values())):
            return
        self.counts[f"{kind.format} files"] += kind.format not in fitted.formats
        self.counts["grey"] += bool(kind.grey) and fitted.grey == 0
        self.counts["in colour"] += not kind.grey and fitted.grey == files

    def note(self) -> str | None:
        """What differs, in one line; None where nothing does."""
        others = [f"{count:,} of {self.images:,} {what}" for what, count in self.counts.items() if count]
        if not others:
            return None
        low, high = self.sides
        return (
            f"new images are unlike all of the fit ({self.fitted}): {', '.join(others)} "
            f"(shorter side {_span(low, high)}); scores may fall for that alone"
        )


def kinds_of(images: ImageSet, most: int = LOOKED_AT, seed: int = 0) -> list[Kind]:
    """The kinds of images drawn from a set, at most so many; those that cannot be read are passed over."""
    places = np.random.default_rng(seed).permutation(len(images))[:most]
    found = []
    for place in np.sort(places):
        try:
            kind = image_kind(images.read(int(place)))
        except UnreadableImage:
            continue
        if kind is not None:
            found.append(kind)
    return found


def _span(low: int, high: int) -> str:
    return f"{low:,} px" if low == high else f"{low:,}-{high:,} px"
